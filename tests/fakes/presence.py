"""In-memory adapters of `sightline.presence`; tests/contract/presence checks the promises they keep."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sightline.errors import UnavailableError
from sightline.parking import ParkedRecord
from sightline.presence.model import Change, Presence, PresenceSearch, Stored


@dataclass
class FakePresences:
    """`step`: how many people a walk gives at a time."""

    stored: dict[str, Stored] = field(default_factory=dict)
    step: int = 2
    writes: int = 0

    def read(self, person_ids: Collection[str]) -> Mapping[str, Stored]:
        return {each: self.stored.get(each, Stored(0, None)) for each in person_ids}

    def write(self, changes: Sequence[Change]) -> Mapping[str, Stored]:
        lost: dict[str, Stored] = {}
        for change in changes:
            self.writes += 1
            person_id = change.presence.person_id
            now = self.stored.get(person_id, Stored(0, None))
            if now.version == change.version:
                self.stored[person_id] = Stored(change.version + 1, change.presence)
            else:
                lost[person_id] = now
        return lost

    def one(self, person_id: str) -> Presence | None:
        return self.read([person_id])[person_id].presence

    def walk(
        self, search: PresenceSearch, after: str | None
    ) -> Iterator[tuple[Sequence[Presence], str | None]]:
        del search  # whoever walks looks again anyway
        found = [self.stored[each].presence for each in sorted(self.stored) if each > (after or "")]
        people = [each for each in found if each is not None]
        for begin in range(0, max(len(people), 1), self.step):
            some = people[begin : begin + self.step]
            is_last = begin + self.step >= len(people)
            yield some, None if is_last else some[-1].person_id


@dataclass
class FakeSetAside:
    records: list[ParkedRecord] = field(default_factory=list)
    is_down: bool = False

    def park(self, records: Sequence[ParkedRecord]) -> None:
        if self.is_down:
            raise UnavailableError("the queue of presence failures refused: QueueDoesNotExist")
        self.records += records
