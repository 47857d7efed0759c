"""Looks at the sandboxes that run, many times a second: their output, their memory, their processes.

Idle ones are looked at once a second: on AWS they are frozen, here a thread in the background goes on.
"""

import time
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread
from typing import Protocol

_TICK_SECONDS = 0.02
_NEXT_SECONDS = 0.001  # when one has more to say
_QUIET_TICKS = 10  # without an invocation: then we only look at those that are idle
_IDLE_SECONDS = 1.0


class Watched(Protocol):
    """A sandbox."""

    def look(self) -> bool:
        """Do what is due; whether to come again at once."""


class Overseer:
    """One thread for all functions, from the first invocation on."""

    def __init__(self, idle: Callable[[], Iterable[Watched]]) -> None:
        self._idle = idle
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
            quiet = 0 if self._watched else quiet + 1
            if quiet < _QUIET_TICKS:
                time.sleep(_NEXT_SECONDS if at_once else _TICK_SECONDS)
            else:
                self._sleep()

    def _sleep(self) -> None:
        """Until something runs, or for a second."""
        self._wanted.clear()
        self._asleep = True
        if not self._watched and not self._wanted.wait(_IDLE_SECONDS):
            for sandbox in self._idle():
                sandbox.look()
        self._asleep = False
