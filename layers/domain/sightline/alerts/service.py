"""One alert per visit, none lost, none sent twice by a replay.

Three steps, in this order: the pending alert is written with its whole content (and with the visit, in one
conditional write), then it is published, then it is marked sent. Whatever happens in between, the batch comes
again and finds the pending alert. What is done with an alert that is found:

    alert       its lease                    what is done
    pending     ours, given up, run out, or  publish (again, with the same id), mark sent
                of an ended invocation
    pending     held by another invocation   if this batch began the visit, or begins the next: come again;
                                             else nothing: the holder sends it, or its own batch comes again
    published   any (remembered, unmarked)   mark sent
    sent        none                         nothing
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sightline.alerts.memory import Invocations, Pair, VisitMemory, lease_for
from sightline.alerts.model import Notification, notification_of
from sightline.alerts.visit import Kind, Place, Run, Visit, runs_of
from sightline.alerts.visit_log import RaisedAlert, VisitLog, Write
from sightline.clock import Clock
from sightline.errors import UnavailableError
from sightline.sightings.model import Attended, Sighting

# Longer than a publish can take: 3 attempts of 2 s to connect and 6 s to answer, and the pauses between them.
LEASE = timedelta(seconds=30)
# A visit's end is written when it moved by this share of the gap: so far the table may lag behind.
WORTH_WRITING = 0.25
WRITE_ATTEMPTS = 10
# So many lagging visits are written per invocation, so that it stays short.
FLUSHED_AT_ONCE = 25
# A topic that hangs costs up to 27 s per alert: what is not begun by then waits, so that the function (60 s)
# can still finish what does not need the topic.
TIME_TO_BEGIN = timedelta(seconds=20)


class Visits(Protocol):
    def write(self, log: VisitLog) -> Write:
        """Store `log` as its next revision, unless the table has another revision than `log` is based on."""
        ...


class AlertSink(Protocol):
    def publish(self, notification: Notification) -> None:
        """It has gone out; UnavailableError when it may not have."""
        ...


@dataclass(slots=True)
class Tally:
    """What happened in one invocation."""

    me: str
    begun_at: datetime
    visit_ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    alerts_sent: int = 0

    def attended(self, run: Run, visit_id: str) -> None:
        self.visit_ids.update((sighting.sighting_id, visit_id) for sighting in run.sightings)

    def refuse(self, runs: Sequence[Run], reason: str) -> None:
        self.refused.update((each.sighting_id, reason) for run in runs for each in run.sightings)


@dataclass(frozen=True, slots=True)
class OneAlertPerVisit:
    """Sightings → visits → alerts."""

    visits: Visits
    sink: AlertSink
    gap: timedelta
    clock: Clock
    invocations: Invocations
    memory: VisitMemory = field(default_factory=VisitMemory)

    def attend(self, sightings: Sequence[Sighting]) -> Attended:
        """Each person is attended to for himself: a refusal stops nobody else."""
        with self.invocations.begin() as me:
            tally = Tally(me, self.clock())
            for pair, seen in _by_pair(sightings).items():
                self._attend_pair(pair, runs_of(seen, self.gap), tally)
            self._catch_up()
        return Attended(tally.visit_ids, tally.alerts_sent, tally.refused)

    def _attend_pair(self, pair: Pair, runs: list[Run], tally: Tally) -> None:
        for number, run in enumerate(runs):
            try:
                tally.attended(run, self._attend_run(pair, run, tally))
            except UnavailableError as error:
                # The later runs wait for this one: a new visit begins only when the last alert has been sent.
                tally.refuse(runs[number:], error.detail)
                return

    def _attend_run(self, pair: Pair, run: Run, tally: Tally) -> str:
        """The id of the run's visit; each turn takes one step, or learns what another writer did."""
        for _ in range(WRITE_ATTEMPTS):
            log = self.memory.recall(pair).log
            place = log.place(run, self.gap)
            if self._has_to_send(pair, log.pending, place, run, tally.me):
                self._send(pair, log, tally)
            elif place.kind is Kind.NEW:
                self._claim(pair, log, place, run, tally.me)
            elif place.kind is Kind.REPLAY or self._continue(pair, log, place.visit, run):
                return place.visit.visit_id
        raise UnavailableError("too many others write this visit")

    def _has_to_send(self, pair: Pair, alert: RaisedAlert | None, place: Place, run: Run, me: str) -> bool:
        if alert is None:
            return False
        is_published = self.memory.recall(pair).published == alert.alert_id
        if is_published or self.invocations.may_take(alert.lease, me, self.clock()):
            return True
        if place.kind is Kind.NEW or run.began(alert.visit_id):
            self.memory.forget(pair)  # when the batch comes again, the table knows whether it was sent
            raise UnavailableError("another invocation is sending the last alert")
        return False

    def _claim(self, pair: Pair, log: VisitLog, place: Place, run: Run, me: str) -> None:
        now = self.clock()
        notification = notification_of(run, place.visit.visit_id)
        self._write(pair, log.claimed(place, notification, lease_for(me, now, LEASE), now))

    def _send(self, pair: Pair, log: VisitLog, tally: Tally) -> None:
        alert = log.pending
        assert alert is not None
        if self.memory.recall(pair).published != alert.alert_id:
            if not self._hold(pair, log, alert, tally.me):
                return
            self._publish(pair, alert, tally)
        self._write(pair, self.memory.recall(pair).log.sent())

    def _hold(self, pair: Pair, log: VisitLog, alert: RaisedAlert, me: str) -> bool:
        now = self.clock()
        if alert.lease is not None and alert.lease.holder == me and alert.lease.until > now:
            return True
        return self._write(pair, log.leased(lease_for(me, now, LEASE)))

    def _publish(self, pair: Pair, alert: RaisedAlert, tally: Tally) -> None:
        if self.clock() - tally.begun_at > TIME_TO_BEGIN:
            raise UnavailableError("no time left in this invocation")
        try:
            self.sink.publish(alert.notification)
        except UnavailableError:
            self._give_up(pair)
            raise
        self.memory.learn_published(pair, alert.alert_id)
        tally.alerts_sent += 1

    def _give_up(self, pair: Pair) -> None:
        """Let whoever gets the batch next try at once; if this fails too, the lease has to run out first."""
        try:
            self._write(pair, self.memory.recall(pair).log.leased(None))
        except UnavailableError:
            return

    def _continue(self, pair: Pair, log: VisitLog, visit: Visit, run: Run) -> bool:
        """Widen the visit, in the table only when it is worth a write; False if the table knew better."""
        wider = log.continued(visit, run)
        if wider.moved_since(self.memory.recall(pair).stored) > self.gap * WORTH_WRITING:
            return self._write(pair, wider)
        if wider != log:
            self.memory.learn_ahead(pair, wider, self.clock())
        return True

    def _catch_up(self) -> None:
        """Write the ends of visits that only this process knows: the next sighting may reach another one."""
        lagging = self.memory.ahead_since(self.clock() - self.gap * WORTH_WRITING)
        for pair in lagging[:FLUSHED_AT_ONCE]:
            try:
                self._write(pair, self.memory.recall(pair).log)
            except UnavailableError:
                return  # nothing of this batch depends on it; the next invocation tries again

    def _write(self, pair: Pair, log: VisitLog) -> bool:
        write = self.visits.write(log)
        self.memory.learn_stored(pair, write.stored)
        return write.is_done


def _by_pair(sightings: Sequence[Sighting]) -> dict[Pair, list[Sighting]]:
    pairs: dict[Pair, list[Sighting]] = {}
    for sighting in sightings:
        pairs.setdefault((sighting.device.device_id, sighting.person.person_id), []).append(sighting)
    return pairs
