"""What a warm function remembers of visits, so that a person in view does not cost a call per frame."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sightline.alerts.visit_log import Lease, VisitLog

Pair = tuple[str, str]  # device id, person id
MEMORY_SIZE = 5_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """`log` may be ahead of `stored`, which is what the table holds as far as we know."""

    log: VisitLog
    stored: VisitLog
    ahead_since: datetime | None = None
    published: str | None = None  # the id of an alert that went out, but is not yet marked so


@dataclass(frozen=True, slots=True)
class VisitMemory:
    """The pairs used last; what it forgets is read again from the table."""

    entries: OrderedDict[Pair, Remembered] = field(default_factory=OrderedDict)

    def recall(self, pair: Pair) -> Remembered:
        nothing = VisitLog(*pair)
        return self.entries.get(pair) or Remembered(nothing, nothing)

    def learn_stored(self, pair: Pair, stored: VisitLog) -> None:
        """The table holds `stored`; what we know beyond it of the same visits stays known."""
        before = self.recall(pair)
        log = stored.informed_by(before.log.visits)
        alert = stored.pending
        keeps = before.published if alert and alert.alert_id == before.published else None
        self._put(pair, Remembered(log, stored, before.ahead_since if log != stored else None, keeps))

    def learn_ahead(self, pair: Pair, log: VisitLog, now: datetime) -> None:
        """We know more than the table."""
        before = self.recall(pair)
        since = None if log == before.stored else before.ahead_since or now
        self._put(pair, Remembered(log, before.stored, since, before.published))

    def learn_published(self, pair: Pair, alert_id: str) -> None:
        before = self.recall(pair)
        self._put(pair, Remembered(before.log, before.stored, before.ahead_since, alert_id))

    def forget(self, pair: Pair) -> None:
        """The table will tell."""
        self.entries.pop(pair, None)

    def ahead_since(self, moment: datetime) -> list[Pair]:
        """The pairs of which we have known more than the table since `moment` or longer."""
        return [
            pair for pair, each in self.entries.items() if each.ahead_since and each.ahead_since <= moment
        ]

    def _put(self, pair: Pair, remembered: Remembered) -> None:
        self.entries[pair] = remembered
        self.entries.move_to_end(pair)
        while len(self.entries) > MEMORY_SIZE:
            self.entries.popitem(last=False)


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
