"""The moments of one schedule, one after the other on the runtime's timetable."""

from collections.abc import Callable
from datetime import datetime

from sightline_local.clock import Timetable
from sightline_local.cloud.scheduler.expressions import Expression


class Series:
    """Calls `fire(moment)` at every moment until it is stopped or there are no more.

    Moments that passed at once (this machine slept, the runtime did not run, a test moved the clock far)
    count as one: the last. `since`: the last moment that is behind us, if not now.
    """

    def __init__(
        self,
        timetable: Timetable,
        expression: Expression,
        fire: Callable[[datetime], None],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        since: datetime | None = None,
    ) -> None:
        self._timetable = timetable
        self._expression = expression
        self._fire = fire
        self._end = end
        self._stopped = False
        since = since or timetable.clock.now()
        self._plan(expression.next_after(max(start, since) if start else since))

    def stop(self) -> None:
        self._stopped = True

    def _plan(self, moment: datetime | None) -> None:
        if moment is not None and (self._end is None or moment <= self._end):
            self._timetable.at(moment, lambda: self._come(moment))

    def _come(self, moment: datetime) -> None:
        if self._stopped:
            return
        now = self._timetable.clock.now()
        last = self._expression.latest(moment, min(now, self._end or now))
        try:
            self._fire(last)
        finally:
            self._plan(self._expression.next_after(last))
