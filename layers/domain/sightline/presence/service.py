"""Keep where everybody is, and answer who is where now."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Protocol

from sightline.clock import Clock
from sightline.deliveries import Delivery
from sightline.errors import UnavailableError
from sightline.paging import Page, PageRequest
from sightline.parking import ParkedRecord
from sightline.presence.model import Change, Presence, PresenceSearch, Seen, Stored, seen_again
from sightline.presence.row import MOST_ID_SIGNS, UnreadableRowError, read_seen
from sightline.timeline import refuse_cursor

# Each lost race is a write of somebody else, so nobody loses for ever.
MOST_RACES = 20
# A request ends well before its function does: after so many steps it gives the place it has come to.
STEPS_PER_PAGE = 30


class Presences(Protocol):
    """One presence a person. UnavailableError: it cannot be read or written now."""

    def read(self, person_ids: Collection[str]) -> Mapping[str, Stored]:
        """Of everybody who is asked for; it may be older than the newest version."""
        ...

    def write(self, changes: Sequence[Change]) -> Mapping[str, Stored]:
        """By person: those that somebody else had changed before, as they are now."""
        ...


class SetAside(Protocol):
    """Records that cannot be read, for somebody to look at."""

    def park(self, records: Sequence[ParkedRecord]) -> None:
        """Keep them; UnavailableError when they cannot be kept now."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: each record is counted once.

    `counted` say where somebody is (`repeated` of them about people of whom the batch says nothing new);
    `undecided` name nobody or no visit; `set_aside` cannot be read.
    """

    counted: int
    repeated: int
    undecided: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class PresenceRecorder:
    """Any number of recorders may write about one person at the same time."""

    presences: Presences
    set_aside: SetAside
    stream: str
    clock: Clock

    def record_presence(self, deliveries: Sequence[Delivery]) -> Outcome:
        """When it returns, all of the batch is kept; after an UnavailableError all of it may come again."""
        by_person: dict[str, list[Seen]] = defaultdict(list)
        unreadable: list[ParkedRecord] = []
        for delivery in deliveries:
            try:
                seen = read_seen(delivery.payload)
            except UnreadableRowError as error:
                unreadable.append(self._parked(delivery, str(error)))
                continue
            if seen is not None:
                by_person[seen.person_id].append(seen)
        if unreadable:
            self.set_aside.park(unreadable)
        repeated = self._keep(by_person)
        counted = sum(map(len, by_person.values()))
        return Outcome(counted, repeated, len(deliveries) - counted - len(unreadable), len(unreadable))

    def _parked(self, delivery: Delivery, reason: str) -> ParkedRecord:
        return ParkedRecord(self.stream, delivery.sequence_number, delivery.payload, reason, self.clock())

    def _keep(self, by_person: Mapping[str, Sequence[Seen]]) -> int:
        """How many sightings belong to people of whom all was known."""
        stored = self.presences.read(by_person.keys()) if by_person else {}
        repeated = 0
        for _ in range(MOST_RACES):
            changes: list[Change] = []
            for person_id, was in stored.items():
                presence = seen_again(was.presence, by_person[person_id])
                if presence is None or presence == was.presence:
                    repeated += len(by_person[person_id])
                else:
                    changes.append(Change(presence, was.version))
            if not changes:
                return repeated
            stored = self.presences.write(changes)
        raise UnavailableError("Others write about the same people all the time.")


class KeptPresences(Protocol):
    """The same presences, to be looked through."""

    def one(self, person_id: str) -> Presence | None: ...

    def walk(
        self, search: PresenceSearch, after: str | None
    ) -> Iterator[tuple[Sequence[Presence], str | None]]:
        """Steps: people who may be what is looked for, and how far the step has come (None: the end)."""
        ...


@dataclass(frozen=True, slots=True)
class PresenceBook:
    """Who is where: somebody who was not seen for longer than `gone_after` is not on site any more."""

    kept: KeptPresences
    clock: Clock
    gone_after: timedelta

    def page(self, search: PresenceSearch, request: PageRequest) -> Page[dict[str, Any]]:
        """Always in the same order, so that who is seen again between two pages is not missed."""
        reached, now = request.after, self.clock()
        if reached is not None and len(reached) > MOST_ID_SIGNS:
            refuse_cursor()
        found: list[dict[str, Any]] = []
        for presences, step in islice(self._steps(search, reached), STEPS_PER_PAGE):
            for presence in presences:
                if not search.finds(presence, now, self.gone_after):
                    continue
                found.append(presence.to_json(now, self.gone_after))
                if len(found) == request.limit:
                    return Page(tuple(found), presence.person_id)
            reached = step
        return Page(tuple(found), reached)

    def _steps(
        self, search: PresenceSearch, after: str | None
    ) -> Iterator[tuple[Sequence[Presence], str | None]]:
        if search.person_id is None:
            return self.kept.walk(search, after)
        one = None if after else self.kept.one(search.person_id)
        return iter([(() if one is None else (one,), None)])
