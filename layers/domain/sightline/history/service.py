"""Keep the rows of the sightings stream, and answer who was where."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sightline.clock import Clock
from sightline.deliveries import Delivery
from sightline.errors import RejectedError, UnavailableError
from sightline.history.model import (
    Glimpse,
    JourneyPlace,
    JourneyVisit,
    SightingRow,
    SightingSearch,
    journey_of,
)
from sightline.history.row import UnreadableRowError, read_row
from sightline.paging import Page, PageRequest
from sightline.parking import ParkedRecord, ParkedRecords
from sightline.timeline import MOST_ID_SIGNS, Window


class KeptSightings(Protocol):
    """Sightings of the last days."""

    def put(self, rows: Sequence[SightingRow]) -> frozenset[str]:
        """The ids of those that were not taken; to put a row again changes nothing."""
        ...

    def page(self, search: SightingSearch, request: PageRequest) -> Page[dict[str, Any]]:
        """Rows as they were written, newest first."""
        ...

    def glimpses(self, person_id: str, window: Window, begin_key: str | None) -> Iterator[Glimpse]:
        """The person's sightings in order of time, from the moment key on if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch; everything from `comes_again` (a sequence number) on is delivered again."""

    rows: int
    parked: int
    comes_again: str | None


@dataclass(frozen=True, slots=True)
class SightingIndex:
    """Writes a batch of the stream; a record that cannot be read is parked and stops nobody."""

    kept: KeptSightings
    parked: ParkedRecords
    clock: Clock

    def index(self, stream: str, deliveries: Sequence[Delivery]) -> Outcome:
        rows: dict[int, SightingRow] = {}
        failed: list[int] = []
        parked = 0
        for position, delivery in enumerate(deliveries):
            try:
                rows[position] = read_row(delivery.payload)
            except UnreadableRowError as error:
                is_parked = self._park(stream, delivery, str(error))
                parked += is_parked
                if not is_parked:
                    failed.append(position)
        refused = self.kept.put(tuple(rows.values()))
        failed += [position for position, row in rows.items() if row.sighting_id in refused]
        comes_again = deliveries[min(failed)].sequence_number if failed else None
        return Outcome(len(rows) - len(refused), parked, comes_again)

    def _park(self, stream: str, delivery: Delivery, reason: str) -> bool:
        record = ParkedRecord(stream, delivery.sequence_number, delivery.payload, reason, self.clock())
        try:
            self.parked.park(record)
        except UnavailableError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SightingHistory:
    """Who was where."""

    kept: KeptSightings

    def page(self, search: SightingSearch, request: PageRequest) -> Page[dict[str, Any]]:
        if search.device_id is None and search.person_id is None:
            raise RejectedError("Say whose sightings or where: device_id or person_id is required.")
        return self.kept.page(search, request)

    def journey(self, person_id: str, window: Window, request: PageRequest) -> Page[JourneyVisit]:
        if len(person_id) > MOST_ID_SIGNS:
            return Page((), None)  # nobody's
        place = JourneyPlace("") if request.after is None else JourneyPlace.from_key(request.after)
        glimpses = self.kept.glimpses(person_id, window, place.moment_key or None)
        visits, following = journey_of(glimpses, request.limit, place.shown)
        return Page(visits, None if following is None else following.to_key())
