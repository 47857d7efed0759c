"""One sandbox seen from the runtime: a child of the warm parent that serves one invocation at a time."""

import contextlib
import json
import signal
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any

from sightline_local.functions.channel import Channel, ChannelClosed
from sightline_local.functions.logs import FunctionLog
from sightline_local.functions.spec import FunctionSpec, InvokeResult
from sightline_local.functions.warm_parent import WarmParent

_INIT_SECONDS = 10  # Lambda's own limit for the init phase of an on-demand sandbox
_RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
_EXIT_NEWS_SECONDS = 2


@dataclass(frozen=True, slots=True)
class _Outcome:
    payload: bytes
    error: bool
    usable: bool  # may the sandbox serve again?
    peak_mb: int = 0


def _failure(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _too_large(size: int) -> bytes:
    return _failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
        f"({_RESPONSE_LIMIT} bytes).",
    )


class Sandbox:
    """Killed on a timeout and forgotten after a crash, as Lambda does."""

    def __init__(
        self, spec: FunctionSpec, environment: dict[str, str], parent: WarmParent, log: FunctionLog
    ) -> None:
        self._spec = spec
        self._parent = parent
        self._log = log
        self._started = time.monotonic()
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        order = {
            "handler": spec.handler,
            "environment": environment,
            "path": spec.search_path(),
            "directory": str(spec.code_dir),
        }
        with contextlib.closing(theirs):
            self.pid = parent.fork(order, theirs.fileno(), log.fileno())
        self._init_seconds: float | None = None
        self.is_usable = True

    def invoke(self, payload: bytes, request_id: str) -> InvokeResult:
        """Run one invocation to its end, its timeout or its crash."""
        begin = self._log.start(request_id)
        cold = self._init_seconds is None
        outcome = self._initialise(request_id) if cold else None
        began = time.monotonic()
        if outcome is None:
            outcome = self._run(payload, request_id)
        seconds = time.monotonic() - began
        self._log.end(
            request_id, seconds, self._spec.memory_mb, outcome.peak_mb, self._init_seconds if cold else None
        )
        self.is_usable = self.is_usable and outcome.usable
        return InvokeResult(outcome.payload, outcome.error, request_id, self._log.tail(begin))

    def is_alive(self) -> bool:
        """Whether an idle sandbox is still there: a process may die between two invocations."""
        return self._channel.is_silent()

    def kill(self) -> None:
        """End the process; whoever waits for its answer hears of it at once."""
        self.is_usable = False
        self._parent.kill(self.pid)

    def close(self) -> None:
        """End the process and forget it; only when nobody waits for its answer."""
        self.kill()
        self._channel.close()

    def _initialise(self, request_id: str) -> _Outcome | None:
        """Wait until the handler is imported; what went wrong, if anything did."""
        deadline = self._started + _INIT_SECONDS + self._spec.timeout_seconds
        try:
            head, _ = self._channel.receive(deadline)
        except (ChannelClosed, TimeoutError) as error:
            self._init_seconds = time.monotonic() - self._started
            return self._ended(error, request_id)
        self._init_seconds = time.monotonic() - self._started
        if head["kind"] == "init_error":
            error_object = {**head["error"], "requestId": request_id}
            return _Outcome(json.dumps(error_object).encode(), error=True, usable=False)
        return None

    def _run(self, payload: bytes, request_id: str) -> _Outcome:
        timeout = self._spec.timeout_seconds
        try:
            self._channel.send(self._head(request_id, timeout), payload)
            head, body = self._channel.receive(time.monotonic() + timeout)
        except (ChannelClosed, TimeoutError) as error:
            return self._ended(error, request_id)
        usable = self._asks_for_the_next()
        if len(body) > _RESPONSE_LIMIT:
            return _Outcome(_too_large(len(body)), error=True, usable=usable, peak_mb=head["memory"])
        return _Outcome(body, head["kind"] == "error", usable, head["memory"])

    def _asks_for_the_next(self) -> bool:
        """Whether the sandbox is idle again; an answer counts even if its sandbox dies right after."""
        try:
            self._channel.receive(time.monotonic() + _INIT_SECONDS)
        except (ChannelClosed, TimeoutError):
            return False
        return True

    def _head(self, request_id: str, timeout: float) -> dict[str, Any]:
        """What awslambdaric calls an InvocationRequest."""
        return {
            "invoke_id": request_id,
            "x_amzn_trace_id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            "invoked_function_arn": self._spec.arn,
            "deadline_time_in_ms": int((time.time() + timeout) * 1000),
            "client_context": None,
            "cognito_identity": None,
            "tenant_id": None,
            "content_type": "application/json",
            "invocation_id": None,
        }

    def _ended(self, error: Exception, request_id: str) -> _Outcome:
        if isinstance(error, TimeoutError):
            said = f"Task timed out after {self._spec.timeout_seconds:.2f} seconds"
            kind = "Sandbox.Timedout"
        else:
            said, kind = self._why_it_exited(), "Runtime.ExitError"
        self._log.line(f"RequestId: {request_id} Error: {said}")
        return _Outcome(_failure(kind, f"RequestId: {request_id} Error: {said}"), error=True, usable=False)

    def _why_it_exited(self) -> str:
        status = self._parent.status_of(self.pid, _EXIT_NEWS_SECONDS)
        if not status:
            return "Runtime exited without providing a reason"
        if status < 0:
            return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
        return f"Runtime exited with error: exit status {status}"
