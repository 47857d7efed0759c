"""What an execution waits for: events and pauses whose time passes by the runtime's clock."""

from collections.abc import Callable
from threading import Condition, Thread
from typing import Any

from sightline_local.clock import Clock


class ClockEvent:
    """`threading.Event`, by a clock. `set` wakes whoever waits, also when `clear` follows at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = Condition()
        self._is_set = False
        self._times_set = 0

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        with self._changed:
            self._is_set = True
            self._times_set += 1
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was set before the time was over."""
        with self._changed:
            before = self._times_set
            return self._is_set or self._clock.wait_for(
                self._changed, lambda: self._times_set != before, timeout
            )

    def wait_while(self, still: Callable[[], bool], seconds: float) -> None:
        """Wait this long, or until it is set and `still` holds no longer."""
        with self._changed:
            self._clock.wait_for(self._changed, lambda: not still(), seconds)


class ClockThread(Thread):
    """A thread that is joined by a clock."""

    def __init__(self, clock: Clock, **given: Any) -> None:
        super().__init__(**given)
        self._over = ClockEvent(clock)

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._over.set()

    def join(self, timeout: float | None = None) -> None:
        if self._over.wait(timeout):
            super().join()


def pause(env: Any, seconds: float) -> None:
    """Let an execution rest; one that is stopped or times out goes on at once."""
    if seconds > 0:
        env.program_state_event.wait_while(env.is_running, seconds)
