"""What is known of one person at one device: the latest visits, and the newest alert with its state.

nothing ──claimed──▶ pending, held until … ──sent──▶ sent ──claimed──▶ pending …
                        │        ▲
                        └ given up, or held too long: another invocation takes it
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sightline.alerts.model import Notification, alert_id_of
from sightline.alerts.visit import Place, Run, Visit, place_of, united_votes

# Late or replayed sightings of so many visits find their own; older ones never alert again.
VISITS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Lease:
    """Who is sending a pending alert, and until when nobody else does."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert is written with its whole content before it is sent; what is not sent yet is pending.

    `decided_by` is the first sighting of those that decided it: the batch with it has to see to the alert.
    """

    visit_id: str
    notification: Notification
    raised_at: datetime
    decided_by: str
    is_sent: bool = False
    lease: Lease | None = None

    @property
    def alert_id(self) -> str:
        return alert_id_of(self.visit_id)


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that is still to be sent, as it is found without its visit."""

    alert_id: str
    device_id: str
    person_id: str
    pending_since: datetime
    notification: Notification


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

    @property
    def alerts_sent_at(self) -> list[datetime]:
        """When the people of the alerts that went out were seen: only these begin a cool-down."""
        waiting = self.pending and self.pending.visit_id
        return [each.alerted_at for each in self.visits if each.alerted_at and each.visit_id != waiting]

    def place(self, run: Run, gap: timedelta, me: str = "") -> Place:
        return place_of(run, self.visits, forgotten_until=self.forgotten_until, gap=gap, me=me)

    def holding(self, visit: Visit) -> "VisitLog":
        """With this visit: a new one, or what has become of one that it knows."""
        if any(each.visit_id == visit.visit_id for each in self.visits):
            changed = (visit if each.visit_id == visit.visit_id else each for each in self.visits)
            return replace(self, visits=tuple(changed))
        return self._with_visit(visit)

    def claimed(
        self, visit: Visit, notification: Notification, run: Run, lease: Lease, now: datetime
    ) -> "VisitLog":
        """With the pending alert of the visit, which `run` decided."""
        alert = RaisedAlert(visit.visit_id, notification, now, run.sightings[0].sighting_id, lease=lease)
        return replace(self.holding(visit.alerted()), alert=alert)

    def left_by(self, process: str) -> "VisitLog":
        """The process knows no more than this."""
        visits = (replace(each, followers=each.followers - {process}) for each in self.visits)
        return replace(self, visits=tuple(visits))

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

    def visit(self, visit_id: str) -> Visit | None:
        return next((each for each in self.visits if each.visit_id == visit_id), None)

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
    if other is None:
        return visit
    wider = visit.widened(other.first_seen_at, other.last_seen_at)
    return wider if visit.alerted_at else replace(wider, votes=united_votes(visit.votes, other.votes))
