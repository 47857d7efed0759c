"""The runtime's end of the zygote: starts it, orders children, hears of their ends."""

import itertools
import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Condition, Lock, Thread
from typing import Any

_START_SECONDS = 60
_END_SECONDS = 3


class WarmParentGone(Exception):  # noqa: N818  what happened
    """The warm parent ended, or did not start."""


class WarmParent:
    """Started at once; `close()` ends it with every child. One that was killed is replaced."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._ordering = Lock()
        self._ended: dict[int, int] = {}
        self._news = Condition()
        self._closed = False
        self._start()

    def fork(self, order: dict[str, Any], channel: int, log: int) -> int:
        """Start a child that owns copies of the two descriptors; return its process id."""
        line = json.dumps({**order, "id": next(self._ids)}).encode() + b"\n"
        with self._ordering:
            if self._gone and not self._closed:
                self._end()
                self._start()
            try:
                socket.send_fds(self._socket, [line], [channel, log])
                answer = self._answers.get(timeout=_START_SECONDS)
            except (OSError, Empty) as error:
                raise WarmParentGone("The warm parent of the functions does not answer") from error
        if answer is None:
            raise WarmParentGone("The warm parent of the functions has ended")
        if "failed" in answer:
            raise WarmParentGone(f"No process could be started for the function: {answer['failed']}")
        return int(answer["pid"])

    def status_of(self, pid: int, seconds: float) -> int | None:
        """Exit code of a child (negative: the signal), waiting for it a while; None when it still runs."""
        with self._news:
            self._news.wait_for(lambda: pid in self._ended or self._gone, timeout=seconds)
            return self._ended.pop(pid, None)

    def kill(self, pid: int) -> None:
        """End a child and everything that it started; nothing happens when it has ended already."""
        with suppress(OSError), self._ordering:
            self._socket.sendall(json.dumps({"kill": pid}).encode() + b"\n")

    def close(self) -> None:
        self._closed = True
        self._end()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sightline_local.functions.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # the terminal's Ctrl-C reaches the runtime only
        )
        theirs.close()
        self._socket = ours
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._gone = False
        listening = (ours, self._answers)
        Thread(target=self._listen, args=listening, name="warm-parent", daemon=True).start()

    def _end(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self, ours: socket.socket, answers: SimpleQueue[dict[str, Any] | None]) -> None:
        reader = ours.makefile("rb")
        with suppress(OSError, ValueError):
            for line in reader:
                self._hear(json.loads(line), answers)
        answers.put(None)
        with self._news:
            self._gone = True
            self._news.notify_all()

    def _hear(self, message: dict[str, Any], answers: SimpleQueue[dict[str, Any] | None]) -> None:
        if "started" in message:
            with self._news:
                self._ended.pop(message.get("pid", 0), None)  # of an earlier process with this id
            answers.put(message)
        elif "ended" in message:
            with self._news:
                self._ended[message["ended"]] = message["status"]
                self._news.notify_all()
