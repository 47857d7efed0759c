"""The runtime's time: this machine's, and as much later as a test says."""

import heapq
import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Condition, Lock, Thread

_logger = logging.getLogger(__name__)
_LONGEST_WAIT_SECONDS = 60.0  # a machine that slept notices within a minute


class Clock:
    """What schedules, retries and delivery limits go by. Sessions, records and functions keep real time."""

    def __init__(self, real: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._real = real
        self._moved = timedelta()
        self._lock = Lock()
        self._listeners: list[Callable[[], None]] = []
        self._waits: list[Condition] = []

    def now(self) -> datetime:
        return self._real() + self._moved

    def advance(self, by: timedelta) -> None:
        """Make it later; whoever waits for a moment that is past now goes on at once."""
        with self._lock:
            self._moved += by
            waits = list(self._waits)
        for listener in list(self._listeners):
            listener()
        for changed in waits:
            with changed:
                changed.notify_all()

    def tell(self, listener: Callable[[], None]) -> None:
        """Call it whenever the clock is moved."""
        self._listeners.append(listener)

    def wait_for(self, changed: Condition, done: Callable[[], bool], seconds: float | None) -> bool:
        """`Condition.wait_for` whose seconds pass by this clock; the caller holds the condition."""
        until = None if seconds is None else self.now() + timedelta(seconds=seconds)
        with self._woken(changed):
            while not done():
                left = _LONGEST_WAIT_SECONDS if until is None else (until - self.now()).total_seconds()
                if left <= 0:
                    return False
                changed.wait(min(left, _LONGEST_WAIT_SECONDS))
        return True

    @contextmanager
    def _woken(self, changed: Condition) -> Iterator[None]:
        with self._lock:
            self._waits.append(changed)
        try:
            yield
        finally:
            with self._lock:
                self._waits.remove(changed)


class Timetable:
    """Does things at their moment, one after the other on one thread: an action must be short."""

    def __init__(self, clock: Clock, *, held: bool = False) -> None:
        """Held, it only takes in what is to be done until `begin`."""
        self.clock = clock
        self._held = held
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._closed = False
        clock.tell(self._wake)

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Do it at the moment, or at once when that is past."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._entries, (moment, next(self._numbers), action))
            self._start_if_needed()
            self._changed.notify_all()

    def begin(self) -> None:
        """Do what is due from now on."""
        with self._changed:
            self._held = False
            self._start_if_needed()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.clock.now() + timedelta(seconds=seconds), action)

    def close(self) -> None:
        """Forget what is still to be done."""
        with self._changed:
            self._closed = True
            self._entries.clear()
            self._changed.notify_all()

    def _start_if_needed(self) -> None:
        if self._thread is None and self._entries and not self._held:
            self._thread = Thread(target=self._run, name="timetable", daemon=True)
            self._thread.start()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:  # one that fails must not take the others' time away
                _logger.exception("what was due failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._closed:
                if not self._entries:
                    self._changed.wait()
                    continue
                left = (self._entries[0][0] - self.clock.now()).total_seconds()
                if left <= 0:
                    return heapq.heappop(self._entries)[2]
                self._changed.wait(min(left, _LONGEST_WAIT_SECONDS))
            return None
