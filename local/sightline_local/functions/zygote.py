"""The warm parent of every function: imports what most functions need, then forks a child per order.

Run as `python -m sightline_local.functions.zygote FD`: FD is one end of a socket pair. Orders are JSON
lines with two descriptors each (the child's channel and the pipe that it prints into), or {"kill": PID}:
only the parent of a process knows that its id still means that process. Answers are JSON lines:
{"started": ID, "pid": …} or {"started": ID, "failed": …}, and {"ended": PID, "status": …}. When the runtime
goes, the end of file ends the zygote, and the zygote its children.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from sightline_local.functions.memory import children_of

_PRELOAD = (
    "awslambdaric",
    "awslambdaric.lambda_context",
    "awslambdaric.lambda_runtime_marshaller",
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.types",
    "boto3.s3.inject",
    "aws_lambda_powertools",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.metrics",
    "pydantic.main",  # pydantic itself imports its parts when they are first used
    "pydantic.fields",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.types",
    "msgspec",
    "http.client",
    "zoneinfo",
)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_OPEN_FILES = 1024  # of a sandbox: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LAST_SECONDS = 2.0
_ORDER_LIMIT = 1 << 20


def main() -> None:
    runtime = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runtime's business: it ends us in order
    for name in _PRELOAD:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _warm_boto3()
    gc.collect()
    gc.freeze()  # what is here now stays shared between the children
    Zygote(runtime).serve()


def _warm_boto3() -> None:
    """boto3 imports half of botocore only when the first client is made.

    The descriptions of services that are read for it are kept: every child would read and hold its own.
    """
    import boto3  # noqa: PLC0415  half a second: not for whoever only imports this module
    from botocore.loaders import JSONFileLoader  # noqa: PLC0415

    read, known = JSONFileLoader.load_file, {}

    def read_once(loader: JSONFileLoader, path: str) -> Any:
        if path not in known:
            known[path] = read(loader, path)
        return known[path]

    JSONFileLoader.load_file = read_once  # type: ignore[assignment, method-assign]
    session = boto3.Session(aws_access_key_id="-", aws_secret_access_key="-", region_name="us-east-1")  # noqa: S106
    for service in ("dynamodb", "s3", "sns", "kinesis"):
        session.client(service)  # type: ignore[call-overload]


class Zygote:
    """Single-threaded: the kernel ends a child when the thread that forked it ends."""

    def __init__(self, runtime: socket.socket) -> None:
        self._runtime = runtime
        self._parent = os.getppid()
        self._children: set[int] = set()
        if sys.platform == "linux":
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._unread = b""
        self._descriptors: list[int] = []
        self._wake_read, self._wake_write = os.pipe()
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake_write)

    def serve(self) -> None:
        self._tell({"ready": True})
        while os.getppid() == self._parent:
            sources: list[Any] = [self._runtime, self._wake_read]
            ready, _, _ = select.select(sources, [], [], 5)
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            self._reap()
            if self._runtime in ready and not self._take_orders():
                break
        self._end_everything()

    def _take_orders(self) -> bool:
        try:
            received, descriptors, _, _ = socket.recv_fds(self._runtime, _ORDER_LIMIT, 2)
        except ConnectionError:  # the runtime ended without a word
            return False
        self._unread += received
        self._descriptors += descriptors
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "kill" in order:
                self._kill(order["kill"])
            else:
                self._start(order)
        return bool(received)

    def _start(self, order: dict[str, Any]) -> None:
        channel, log, *self._descriptors = self._descriptors
        try:
            pid = os.fork()
        except OSError as error:  # the machine has no room for one more process
            self._tell({"started": order["id"], "failed": error.strerror})
        else:
            if pid == 0:
                self._become_function(order, channel, log)
            self._children.add(pid)
            self._tell({"started": order["id"], "pid": pid})
        os.close(channel)
        os.close(log)

    def _kill(self, pid: int) -> None:
        """End a child and everything that it started."""
        if pid not in self._children:
            return
        for end in (os.killpg, os.kill):  # it may not have made its own group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(pid, signal.SIGKILL)
                return

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid in self._children:
                    self._children.discard(pid)
                    self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})
                self._end_orphans()

    def _end_orphans(self) -> None:
        """Linux: what a sandbox started and left behind is our child now, and of no use to anybody."""
        for pid in children_of(os.getpid()):
            if pid not in self._children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _end_everything(self) -> None:
        for pid in self._children.copy():
            self._kill(pid)
        deadline = time.monotonic() + _LAST_SECONDS
        while children_of(os.getpid()) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.001)

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._runtime.sendall(json.dumps(message).encode() + b"\n")

    def _become_function(self, order: dict[str, Any], channel: int, log: int) -> NoReturn:
        status = 1
        try:
            os.setsid()  # so that a timeout ends what the function itself started, too
            _prepare_sandbox()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (self._runtime.fileno(), self._wake_read, self._wake_write):
                os.close(descriptor)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            from sightline_local.functions.sandbox import run  # noqa: PLC0415  the child's alone

            run(order, channel)
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:  # noqa: BLE001  the last thing that this process says, into the function's log
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
            os._exit(status)


def _prepare_sandbox() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if most == resource.RLIM_INFINITY else min(_OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.platform == "linux":
        # SIGKILL as soon as the zygote ends, however it ends. Elsewhere the end of file does it.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        with contextlib.suppress(OSError):  # a machine without memory shall end a function, not the runtime
            Path("/proc/self/oom_score_adj").write_text("1000")


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
