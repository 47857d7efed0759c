"""One sandbox seen from the runtime: a child of the warm parent that serves one invocation at a time."""

import contextlib
import json
import os
import signal
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any

from sightline_local.functions import report
from sightline_local.functions.channel import Channel, ChannelClosed
from sightline_local.functions.memory import usage_of
from sightline_local.functions.output import Output
from sightline_local.functions.spec import FunctionSpec, InvokeResult
from sightline_local.functions.warm_parent import WarmParent

_INIT_SECONDS = 10  # Lambda's own limit for the init phase of an on-demand sandbox
_RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
_EXIT_NEWS_SECONDS = 1
_MOST_TASKS = 1024  # processes and threads of a sandbox; on AWS, starting one more fails
_MEGABYTE = 1 << 20
_FREEZE_SECONDS = 0.1  # idle for so long; at once on AWS, but the next invocation is often there already
_OUT_OF_MEMORY = "Runtime.OutOfMemory"
_KILLED = "Runtime exited with error: signal: killed"


@dataclass(frozen=True, slots=True)
class _Outcome:
    payload: bytes
    error: bool
    usable: bool  # may the sandbox serve again?
    status: str = ""  # what the REPORT line says of it


def _failure(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _too_large(size: int) -> bytes:
    return _failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
        f"({_RESPONSE_LIMIT} bytes).",
    )


class Sandbox:
    """Killed on a timeout and when it holds too much, forgotten after a crash, as Lambda does."""

    def __init__(
        self, spec: FunctionSpec, environment: dict[str, str], parent: WarmParent, output: Output
    ) -> None:
        self._spec = spec
        self._parent = parent
        self._output = output
        self._started = time.monotonic()
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        order = {
            "handler": spec.handler,
            "environment": environment,
            "path": spec.search_path(),
            "directory": str(spec.code_dir),
            "longest_answer": _RESPONSE_LIMIT,
        }
        with contextlib.closing(theirs), output.handing_over() as write_end:
            self.pid = parent.fork(order, theirs.fileno(), write_end)
        self._init_seconds: float | None = None
        self._peak_mb = 0
        self._killed_for = ""
        self._ended_at = 0.0
        self._frozen = False
        self.is_usable = True

    def invoke(self, payload: bytes, request_id: str) -> InvokeResult:
        """Run one invocation to its end, its timeout or its crash."""
        cold = self._init_seconds is None
        outcome = self._initialise(request_id) if cold else None
        self._output.say(report.start(request_id))
        init = self._init_phase() if cold else None
        began = self._started if cold and init is None else time.monotonic()
        if outcome is None:
            outcome = self._run(payload, request_id, began + self._spec.timeout_seconds)
        seconds = time.monotonic() - began
        self.is_usable = self.is_usable and outcome.usable
        said = report.end(request_id, self._spec, seconds, peak_mb=self._peak_mb, init=init)
        self._ended_at = time.monotonic()
        tail = self._output.end(f"{said}{outcome.status}\n")
        return InvokeResult(outcome.payload, outcome.error, request_id, tail)

    def look(self) -> bool:
        """Pass on the output, and end the sandbox when it holds more than it may; whether there is more."""
        more = self._output.drain()
        limit = self._spec.memory_mb * _MEGABYTE
        usage = usage_of(self.pid, limit)
        self._peak_mb = max(self._peak_mb, usage.memory // _MEGABYTE)
        if usage.memory > limit:
            self._end_for(_OUT_OF_MEMORY)
        elif usage.tasks > _MOST_TASKS:
            self._end_for("Runtime.ExitError")
        return more

    def is_alive(self) -> bool:
        """Whether an idle sandbox is still there: a process may die between two invocations."""
        return self._channel.is_silent()

    def freeze(self) -> None:
        """Stop an idle sandbox as it is, unless its last invocation has only just ended."""
        if self._frozen or time.monotonic() - self._ended_at < _FREEZE_SECONDS or not self.is_alive():
            return
        self.look()  # the last time for as long as it is idle
        self._frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process; whoever waits for its answer hears of it at once."""
        self.is_usable = False
        self._parent.kill(self.pid)

    def close(self) -> None:
        """End the process and forget it; only when nobody waits for its answer."""
        self.kill()
        self._channel.close()
        self._output.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _end_for(self, reason: str) -> None:
        if not self._killed_for:
            self._killed_for = reason
            self.kill()

    def _init_phase(self) -> float | None:
        """Its seconds; None when AWS would break it off, and repeat it as a part of the invocation."""
        seconds = self._init_seconds
        return seconds if seconds is not None and seconds <= _INIT_SECONDS else None

    def _initialise(self, request_id: str) -> _Outcome | None:
        """Wait until the handler is imported; what went wrong, if anything did."""
        self._output.say(report.init_start(self._spec))
        deadline = self._started + max(_INIT_SECONDS, self._spec.timeout_seconds)
        try:
            head, _ = self._hear(deadline, "next", "init_error")
        except (ChannelClosed, TimeoutError) as error:
            self._init_seconds = time.monotonic() - self._started
            return self._ended(error, request_id)
        self._init_seconds = time.monotonic() - self._started
        if head["kind"] == "next":
            return None
        error_object = {**head["error"], "requestId": request_id}
        error_type = str(error_object.get("errorType"))
        self._output.say(report.init_failed(self._init_seconds, error_type))
        return _Outcome(json.dumps(error_object).encode(), True, False, _status_of(error_type))

    def _run(self, payload: bytes, request_id: str, deadline: float) -> _Outcome:
        try:
            self._channel.send(self._head(request_id, deadline), payload, deadline)
            head, body = self._hear(deadline, "result", "error", "too_large")
        except (ChannelClosed, TimeoutError) as error:
            return self._ended(error, request_id)
        self._peak_mb = max(self._peak_mb, int(head["memory"]))
        if self._peak_mb > self._spec.memory_mb:  # it came and went between two looks
            self._killed_for = _OUT_OF_MEMORY
            return self._exited(request_id)
        usable = self._asks_for_the_next()
        if head["kind"] == "too_large":
            return _Outcome(_too_large(int(head["size"])), error=True, usable=usable)
        return _Outcome(body, head["kind"] == "error", usable)

    def _asks_for_the_next(self) -> bool:
        """Whether the sandbox is idle again; an answer counts even if its sandbox dies right after."""
        try:
            self._hear(time.monotonic() + _INIT_SECONDS, "next")
        except (ChannelClosed, TimeoutError):
            return False
        return True

    def _hear(self, deadline: float, *kinds: str) -> tuple[dict[str, Any], bytes]:
        """A frame of one of these kinds; ChannelClosed when the function wrote something else."""
        head, body = self._channel.receive(deadline)
        if head.get("kind") not in kinds:
            raise ChannelClosed
        return head, body

    def _head(self, request_id: str, deadline: float) -> dict[str, Any]:
        """What awslambdaric calls an InvocationRequest."""
        return {
            "invoke_id": request_id,
            "x_amzn_trace_id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            "invoked_function_arn": self._spec.arn,
            "deadline_time_in_ms": int((time.time() + deadline - time.monotonic()) * 1000),
            "client_context": None,
            "cognito_identity": None,
            "tenant_id": None,
            "content_type": "application/json",
            "invocation_id": None,
        }

    def _ended(self, error: Exception, request_id: str) -> _Outcome:
        if not isinstance(error, TimeoutError):
            return self._exited(request_id)
        self.kill()
        said = f"Task timed out after {self._spec.timeout_seconds:.2f} seconds"
        self._output.say(report.timed_out(request_id, said))
        payload = _failure("Sandbox.Timedout", f"RequestId: {request_id} Error: {said}")
        return _Outcome(payload, error=True, usable=False, status="\tStatus: timeout")

    def _exited(self, request_id: str) -> _Outcome:
        kind = self._killed_for or "Runtime.ExitError"
        said = _KILLED if self._killed_for else self._why_it_exited()
        self._output.say(report.exited(request_id, said, kind))
        payload = _failure(kind, f"RequestId: {request_id} Error: {said}")
        return _Outcome(payload, error=True, usable=False, status=_status_of(kind))

    def _why_it_exited(self) -> str:
        status = self._parent.status_of(self.pid, _EXIT_NEWS_SECONDS)
        if not status:
            return "Runtime exited without providing a reason"
        if status < 0:
            return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
        return f"Runtime exited with error: exit status {status}"


def _status_of(error_type: str) -> str:
    return f"\tStatus: error\tError Type: {error_type}"
