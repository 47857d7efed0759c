"""Looks at the sandboxes that run, many times a second: their output, their memory, their processes.

Those that are idle are frozen, as on AWS.
"""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Protocol

_TICK_SECONDS = 0.02
_NEXT_SECONDS = 0.001  # when one has more to say
_QUIET_TICKS = 10  # without an invocation: then all are frozen, and we sleep


class Watched(Protocol):
    """A sandbox while an invocation runs."""

    def look(self) -> bool:
        """Do what is due; whether to come again at once."""


class Overseer:
    """One thread for all functions, asleep while nothing runs."""

    def __init__(self, freeze_idle: Callable[[], None]) -> None:
        self._freeze_idle = freeze_idle
        self._watched: set[Watched] = set()
        self._wanted = Event()
        self._asleep = True
        self._closed = False
        self._thread: Thread | None = None
        self._waking = Lock()

    def watch(self, sandbox: Watched) -> None:
        self._watched.add(sandbox)
        if self._asleep:
            self._wake()

    def leave(self, sandbox: Watched) -> None:
        self._watched.discard(sandbox)

    def close(self) -> None:
        self._closed = True
        self._wanted.set()
        if self._thread:
            self._thread.join(timeout=2)

    def _wake(self) -> None:
        with self._waking:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="overseer", daemon=True)
                self._thread.start()
        self._wanted.set()

    def _run(self) -> None:
        quiet = 0
        while not self._closed:
            at_once = False
            for sandbox in self._watched.copy():
                at_once |= sandbox.look()
            self._freeze_idle()
            quiet = 0 if self._watched else quiet + 1
            if quiet < _QUIET_TICKS:
                time.sleep(_NEXT_SECONDS if at_once else _TICK_SECONDS)
            else:
                self._sleep()
                quiet = 0

    def _sleep(self) -> None:
        self._wanted.clear()
        self._asleep = True
        if not self._watched:  # nobody came between the last look and falling asleep
            self._wanted.wait()
        self._asleep = False
