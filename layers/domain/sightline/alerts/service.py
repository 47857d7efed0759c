"""One alert per visit, none lost, none sent twice by a replay.

Three steps, in this order: the pending alert is written with its whole content (in the alerts table and with
the visit, in one transaction), then it is published, then it is marked sent. Whatever happens in between, the
batch comes again and finds the pending alert; if it never does, the sweeper (`alerts/sweep.py`) sends it.
What is done with an alert that is found:

    alert       its lease                    what is done
    pending     ours, given up, run out, or  publish (again, with the same id), mark sent
                of an ended invocation
    pending     held by another invocation   if this batch decided it, or decides the next: come again;
                                             else nothing: the holder sends it, or its own batch comes again
    published   any (remembered, unmarked)   mark sent
    sent        none                         nothing

Whether there is an alert at all is the business of `alerts/rule.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from sightline.alerts.memory import Invocations, Pair, VisitMemory, lease_for
from sightline.alerts.model import Notification, notification_of
from sightline.alerts.rule import is_cooling_down, is_voted
from sightline.alerts.visit import LAG, Kind, Place, Run, Visit, runs_of
from sightline.alerts.visit_log import RaisedAlert, VisitLog, Write
from sightline.clock import Clock
from sightline.errors import UnavailableError
from sightline.sightings.model import Attended, Sighting

# Longer than a publish can take: 3 attempts of 2 s to connect and 6 s to answer, and the pauses between them.
LEASE = timedelta(seconds=30)
WRITE_ATTEMPTS = 10
# So many lagging visits are written per invocation, so that it stays short.
FLUSHED_AT_ONCE = 25
# A topic that hangs costs up to 27 s per alert: what is not begun by then waits, so that the function (60 s)
# can still finish what does not need the topic.
TIME_TO_BEGIN = timedelta(seconds=20)
NO_FRAMES: Mapping[str, Sequence[datetime]] = {}


class Visits(Protocol):
    """Each writes `log` as the next revision, unless the table has another one than `log` is based on."""

    def write(self, log: VisitLog) -> Write:
        """The visits, and the lease of the alert."""
        ...

    def claim(self, log: VisitLog) -> Write:
        """With a new pending alert, which is kept for itself as well."""
        ...

    def settle(self, log: VisitLog, sent_at: datetime) -> Write:
        """The alert has been sent, here and where it is kept for itself."""
        ...


class Witness(Protocol):
    def last_seen(
        self, device_id: str, person_id: str, *, after: datetime, before: datetime
    ) -> datetime | None:
        """The latest sighting between the two moments that was written down, by whomever."""
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
    witness: Witness
    memory: VisitMemory = field(default_factory=VisitMemory)

    def attend(
        self, sightings: Sequence[Sighting], frames: Mapping[str, Sequence[datetime]] = NO_FRAMES
    ) -> Attended:
        """Each person is attended to for himself: a refusal stops nobody else.

        `frames` are the moments of each device's frames with a face: what the votes of its people are out of.
        """
        for device_id, moments in frames.items():
            self.memory.learn_frames(device_id, moments)
        with self.invocations.begin() as me:
            tally = Tally(me, self.clock())
            for pair, seen in _by_pair(sightings).items():
                self._attend_pair(pair, runs_of(seen, self._gap(seen[0])), tally)
            self._catch_up()
        return Attended(tally.visit_ids, tally.alerts_sent, tally.refused)

    def _gap(self, sighting: Sighting) -> timedelta:
        return sighting.device.visit_gap or self.gap

    def _attend_pair(self, pair: Pair, runs: list[Run], tally: Tally) -> None:
        for number, run in enumerate(runs):
            try:
                tally.attended(run, self._attend_run(pair, run, tally))
            except UnavailableError as error:
                # The later runs wait for this one: an alert is raised only when the one before has been sent.
                tally.refuse(runs[number:], error.detail)
                return

    def _attend_run(self, pair: Pair, run: Run, tally: Tally) -> str:
        """The id of the run's visit; each turn takes one step, or learns what another writer did."""
        gap = self._gap(run.best)
        for _ in range(WRITE_ATTEMPTS):
            log = self.memory.recall(pair).log
            place = self._place(pair, log, run, gap)
            visit = place.visit.met(run, _agreeing(run, log))
            is_due = place.kind is not Kind.REPLAY and self._is_due(visit, run)
            if self._has_to_send(pair, log.pending, run, tally.me, is_due=is_due):
                self._send(pair, log, tally)
            elif is_due:
                self._claim(pair, log, visit, run, tally.me)
            elif place.kind is Kind.REPLAY or self._keep(pair, log, visit, gap):
                return visit.visit_id
        raise UnavailableError("too many others write this visit")

    def _is_due(self, visit: Visit, run: Run) -> bool:
        if visit.alerted_at is not None or not visit.votes or not run.counting:
            return False
        device = run.best.device
        return is_voted(visit.votes, self.memory.frames_of(device.device_id), device.vote)

    def _has_to_send(self, pair: Pair, alert: RaisedAlert | None, run: Run, me: str, *, is_due: bool) -> bool:
        if alert is None:
            return False
        is_published = self.memory.recall(pair).published == alert.alert_id
        if is_published or self.invocations.may_take(alert.lease, me, self.clock()):
            return True
        if is_due or run.holds(alert.decided_by):
            self.memory.forget(pair)  # when the batch comes again, the table knows whether it was sent
            raise UnavailableError("another invocation is sending the last alert")
        return False

    def _claim(self, pair: Pair, log: VisitLog, visit: Visit, run: Run, me: str) -> None:
        now = self.clock()
        content = notification_of(run, visit.visit_id, seen_at=min(visit.votes), frames=len(visit.votes))
        visit = replace(visit, followers=visit.followers | {self.invocations.process})
        claimed = log.claimed(visit, content, run, lease_for(me, now, LEASE), now)
        self._learn(pair, self.visits.claim(claimed))

    def _send(self, pair: Pair, log: VisitLog, tally: Tally) -> None:
        alert = log.pending
        assert alert is not None
        if self.memory.recall(pair).published != alert.alert_id:
            if not self._hold(pair, log, alert, tally.me):
                return
            self._publish(pair, alert, tally)
        self._learn(pair, self.visits.settle(self.memory.recall(pair).log.sent(), self.clock()))

    def _hold(self, pair: Pair, log: VisitLog, alert: RaisedAlert, me: str) -> bool:
        now = self.clock()
        if alert.lease is not None and alert.lease.holder == me and alert.lease.until > now:
            return True
        return self._learn(pair, self.visits.write(log.leased(lease_for(me, now, LEASE))))

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
        with suppress(UnavailableError):
            self._learn(pair, self.visits.write(self.memory.recall(pair).log.leased(None)))

    def _keep(self, pair: Pair, log: VisitLog, visit: Visit, gap: timedelta) -> bool:
        """Remember what became of the visit, in the table if worth a write; False if that knew better."""
        stored, visit = self.memory.recall(pair).stored.visit(visit.visit_id), visit.kept()
        if visit != log.visit(visit.visit_id):
            visit = replace(visit, followers=visit.followers | {self.invocations.process})
        if stored is None or _is_worth_writing(visit, stored, gap):
            if not self._learn(pair, self.visits.write(log.holding(visit))):
                return False
        else:
            self.memory.learn_ahead(pair, log.holding(visit))
        if self.invocations.process in visit.followers:
            self.memory.follow(pair, self.clock() + gap * LAG)
        return True

    def _place(self, pair: Pair, log: VisitLog, run: Run, gap: timedelta) -> Place:
        """Beyond the gap, where only a process that is gone may have seen the person, the sightings tell."""
        me = self._me_following(pair)
        place = log.place(run, gap, me)
        visit = place.visit
        if place.kind is not Kind.CONTINUES or run.first_seen_at - visit.last_seen_at <= gap:
            return place
        last = self.witness.last_seen(*pair, after=visit.last_seen_at, before=run.first_seen_at)
        exact = replace(visit, last_seen_at=last or visit.last_seen_at, followers=frozenset())
        return log.holding(exact).place(run, gap, me)

    def _me_following(self, pair: Pair) -> str:
        """The name under which this process knows the end of a visit that it follows."""
        return "" if pair in self.memory.doubtful else self.invocations.process

    def _catch_up(self) -> None:
        """Write the ends of visits that only this process knows: the next sighting may reach another one."""
        for pair in self.memory.due_to_leave(self.clock())[:FLUSHED_AT_ONCE]:
            try:
                self._leave(pair)
            except UnavailableError:
                return  # nothing of this batch depends on it; the next invocation tries again

    def _leave(self, pair: Pair) -> None:
        for _ in range(WRITE_ATTEMPTS):
            known = self.memory.recall(pair)
            left = known.log.left_by(self.invocations.process)
            if left == known.stored or self._learn(pair, self.visits.write(left)):
                self.memory.leave(pair)
                return

    def _learn(self, pair: Pair, write: Write) -> bool:
        self.memory.learn_stored(pair, write.stored)
        return write.is_done


def _agreeing(run: Run, log: VisitLog) -> list[datetime]:
    """The moments of those that vote: a sighting within a cool-down does not."""
    sent = log.alerts_sent_at
    return [
        each.seen_at
        for each in run.counting
        if not is_cooling_down(each.seen_at, sent, each.device.cool_down)
    ]


def _is_worth_writing(visit: Visit, stored: Visit, gap: timedelta) -> bool:
    """Votes outlive this process, who follows a visit says so, and the end may lag only so far."""
    if visit.votes != stored.votes or visit.followers != stored.followers:
        return True
    moved = max(stored.first_seen_at - visit.first_seen_at, visit.last_seen_at - stored.last_seen_at)
    return moved > gap * LAG


def _by_pair(sightings: Sequence[Sighting]) -> dict[Pair, list[Sighting]]:
    pairs: dict[Pair, list[Sighting]] = {}
    for sighting in sightings:
        pairs.setdefault((sighting.device.device_id, sighting.person_id), []).append(sighting)
    return pairs
