"""What is known of one person at one device: the latest visits, and the newest alert with its state.

nothing ──claimed──▶ pending, held until … ──sent──▶ sent ──claimed──▶ pending …
                        │        ▲
                        └ given up, or held too long: another invocation takes it
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sightline.alerts.model import Notification, alert_id_of
from sightline.alerts.visit import Place, Run, Visit, place_of

# Late or replayed sightings of so many visits find their own; older ones never alert again.
VISITS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Lease:
    """Who is sending a pending alert, and until when nobody else does."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert is written with its whole content before it is sent; what is not sent yet is pending."""

    visit_id: str
    notification: Notification
    raised_at: datetime
    is_sent: bool = False
    lease: Lease | None = None

    @property
    def alert_id(self) -> str:
        return alert_id_of(self.visit_id)


@dataclass(frozen=True, slots=True)
class VisitLog:
    """`revision` counts the writes; a write that does not follow the one before it has to look again."""

    device_id: str
    person_id: str
    revision: int = 0
    visits: tuple[Visit, ...] = ()
    forgotten_until: datetime | None = None
    alert: RaisedAlert | None = None

    @property
    def pending(self) -> RaisedAlert | None:
        return None if self.alert is None or self.alert.is_sent else self.alert

    def place(self, run: Run, gap: timedelta) -> Place:
        return place_of(run, self.visits, forgotten_until=self.forgotten_until, gap=gap)

    def claimed(self, place: Place, notification: Notification, lease: Lease, now: datetime) -> "VisitLog":
        """With a new visit and its pending alert."""
        alert = RaisedAlert(place.visit.visit_id, notification, now, lease=lease)
        return replace(self._with_visit(place.visit), alert=alert)

    def continued(self, visit: Visit, run: Run) -> "VisitLog":
        wider = visit.widened(run.first_seen_at, run.last_seen_at)
        return replace(self, visits=tuple(wider if each == visit else each for each in self.visits))

    def leased(self, lease: Lease | None) -> "VisitLog":
        assert self.alert is not None
        return replace(self, alert=replace(self.alert, lease=lease))

    def sent(self) -> "VisitLog":
        assert self.alert is not None
        return replace(self, alert=replace(self.alert, is_sent=True, lease=None))

    def informed_by(self, visits: Iterable[Visit]) -> "VisitLog":
        """With what somebody else knows of the same visits."""
        others = {visit.visit_id: visit for visit in visits}
        return replace(self, visits=tuple(_united(each, others.get(each.visit_id)) for each in self.visits))

    def moved_since(self, older: "VisitLog") -> timedelta:
        """By how much the ends of the visits that both know lie farther apart here."""
        before = {visit.visit_id: visit for visit in older.visits}
        return max(
            (_growth(visit, before[visit.visit_id]) for visit in self.visits if visit.visit_id in before),
            default=timedelta(0),
        )

    def _with_visit(self, visit: Visit) -> "VisitLog":
        ordered = sorted((*self.visits, visit), key=lambda each: each.last_seen_at)
        forgotten = [each.last_seen_at for each in ordered[:-VISITS_KEPT]]
        until = max((each for each in (self.forgotten_until, *forgotten) if each is not None), default=None)
        return replace(self, visits=tuple(ordered[-VISITS_KEPT:]), forgotten_until=until)


@dataclass(frozen=True, slots=True)
class Write:
    """The log as the table holds it now, and whether it is the one that was to be written."""

    is_done: bool
    stored: VisitLog


def _united(visit: Visit, other: Visit | None) -> Visit:
    return visit if other is None else visit.widened(other.first_seen_at, other.last_seen_at)


def _growth(visit: Visit, before: Visit) -> timedelta:
    return max(before.first_seen_at - visit.first_seen_at, visit.last_seen_at - before.last_seen_at)
