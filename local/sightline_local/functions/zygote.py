"""The warm parent of every function: imports what most functions need, then forks a child per order.

Run as `python -m sightline_local.functions.zygote FD`: FD is one end of a socket pair. Orders are JSON
lines with two descriptors each (the child's channel and its log file), or {"kill": PID}: only the parent of
a process knows that its id still means that process. Answers are JSON lines: {"started": ID, "pid": …} and
{"ended": PID, "status": …}. When the runtime goes, the end of file ends the zygote, and the kernel its
children.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

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
    "pydantic",
    "msgspec",
    "http.client",
    "zoneinfo",
)
_PR_SET_PDEATHSIG = 1
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
    """boto3 imports half of botocore only when the first client is made."""
    import boto3  # noqa: PLC0415  half a second: not for whoever only imports this module

    session = boto3.Session(aws_access_key_id="-", aws_secret_access_key="-", region_name="us-east-1")  # noqa: S106
    for service in ("dynamodb", "s3", "sns", "kinesis"):
        session.client(service)  # type: ignore[call-overload]


class Zygote:
    """Single-threaded: the kernel ends a child when the thread that forked it ends."""

    def __init__(self, runtime: socket.socket) -> None:
        self._runtime = runtime
        self._parent = os.getppid()
        self._children: set[int] = set()
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
                return

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
        pid = os.fork()
        if pid == 0:
            self._become_function(order, channel, log)
        self._children.add(pid)
        os.close(channel)
        os.close(log)
        self._tell({"started": order["id"], "pid": pid})

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
                self._children.discard(pid)
                self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._runtime.sendall(json.dumps(message).encode() + b"\n")

    def _become_function(self, order: dict[str, Any], channel: int, log: int) -> NoReturn:
        status = 1
        try:
            os.setsid()  # so that a timeout ends what the function itself started, too
            _die_with_parent()
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


def _die_with_parent() -> None:
    """Linux: SIGKILL as soon as the zygote ends, however it ends. Elsewhere the end of file does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
