"""What a warm function remembers of visits, so that a person in view does not cost a call per frame."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from sightline.alerts.visit_log import Lease, VisitLog

Pair = tuple[str, str]  # device id, person id
MEMORY_SIZE = 5_000
# More than any vote asks for, so that a late frame or a repeated batch does not push out what still counts.
FRAMES_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Remembered:
    """`log` may be ahead of `stored`, which is what the table holds as far as we know."""

    log: VisitLog
    stored: VisitLog
    published: str | None = None  # the id of an alert that went out, but is not yet marked so


@dataclass(frozen=True, slots=True)
class VisitMemory:
    """The pairs used last; what it forgets is read again from the table."""

    entries: OrderedDict[Pair, Remembered] = field(default_factory=OrderedDict)
    # Pairs with a visit that we follow, and when to write its end unless the person is seen again.
    to_leave: dict[Pair, datetime] = field(default_factory=dict)
    # Pairs of which we knew more than the table and forgot it.
    doubtful: set[Pair] = field(default_factory=set)
    frames: dict[str, OrderedDict[datetime, None]] = field(default_factory=dict)

    def recall(self, pair: Pair) -> Remembered:
        found = self.entries.get(pair)
        if found is not None:
            return found
        nothing = VisitLog(*pair)
        return Remembered(nothing, nothing)

    def learn_stored(self, pair: Pair, stored: VisitLog) -> None:
        """The table holds `stored`; what we know beyond it of the same visits stays known."""
        before = self.recall(pair)
        log = stored.informed_by(before.log.visits)
        alert = stored.pending
        keeps = before.published if alert and alert.alert_id == before.published else None
        self._put(pair, Remembered(log, stored, keeps))

    def learn_ahead(self, pair: Pair, log: VisitLog) -> None:
        """We know more than the table."""
        self._put(pair, replace(self.recall(pair), log=log))

    def learn_published(self, pair: Pair, alert_id: str) -> None:
        self._put(pair, replace(self.recall(pair), published=alert_id))

    def follow(self, pair: Pair, leave_at: datetime) -> None:
        """The person has just been seen here."""
        self.doubtful.discard(pair)
        self.to_leave[pair] = leave_at

    def leave(self, pair: Pair) -> None:
        self.to_leave.pop(pair, None)

    def due_to_leave(self, now: datetime) -> list[Pair]:
        return [pair for pair, leave_at in self.to_leave.items() if leave_at <= now]

    def forget(self, pair: Pair) -> None:
        """The table will tell."""
        if self.entries.pop(pair, None) and self.to_leave.pop(pair, None):
            if len(self.doubtful) >= MEMORY_SIZE:
                self.doubtful.clear()
            self.doubtful.add(pair)

    def learn_frames(self, device_id: str, moments: Iterable[datetime]) -> None:
        known = self.frames.setdefault(device_id, OrderedDict())
        for moment in moments:
            known[moment] = None
        while len(known) > FRAMES_REMEMBERED:
            known.popitem(last=False)

    def frames_of(self, device_id: str) -> Iterable[datetime]:
        return self.frames.get(device_id, ())

    def _put(self, pair: Pair, remembered: Remembered) -> None:
        self.entries[pair] = remembered
        self.entries.move_to_end(pair)
        if len(self.entries) > MEMORY_SIZE:
            self.forget(next(iter(self.entries)))


@dataclass(slots=True)
class Invocations:
    """The invocations of this process, each with a name: one that is over cannot still be sending."""

    process: str
    numbers: Iterator[int] = field(default_factory=count)
    running: set[str] = field(default_factory=set)

    @contextmanager
    def begin(self) -> Iterator[str]:
        name = f"{self.process}/{next(self.numbers)}"
        self.running.add(name)
        try:
            yield name
        finally:
            self.running.discard(name)

    def may_take(self, lease: Lease | None, me: str, now: datetime) -> bool:
        """Nobody else can be sending: the lease is ours, has run out, or its holder ended in this process."""
        if lease is None or lease.until <= now or lease.holder == me:
            return True
        process, _, _ = lease.holder.rpartition("/")
        return process == self.process and lease.holder not in self.running


def lease_for(me: str, now: datetime, duration: timedelta) -> Lease:
    return Lease(me, now + duration)
