"""Sightings as they are kept for some days, and journeys: visits over several devices in order of time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sightline.clock import from_iso, to_iso
from sightline.errors import RejectedError
from sightline.timeline import ALWAYS, MOST_KEY_BYTES, Window, refuse_cursor

# The longest visit gap that a stack or a device may have: after it a visit is over for certain.
LONGEST_GAP = timedelta(days=1)
# About 20 MB of sightings: what a function reads in some seconds.
MOST_SIGHTINGS = 20_000
_BETWEEN, _AND = "|", ","


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A row of the sightings stream; `content` is the row exactly as it came, one JSON object."""

    sighting_id: str
    device_id: str
    seen_at: datetime
    person_id: str | None
    visit_id: str | None
    similarity_percent: float | None
    site: str | None
    recorded_at: datetime
    content: str

    @property
    def moment_key(self) -> str:
        """Sorts by time, and tells apart what was seen at one moment."""
        return moment_key(self.seen_at, self.sighting_id)


@dataclass(frozen=True, slots=True)
class SightingSearch:
    """Sightings at a device, of a person, or both: at least one of the two is given."""

    device_id: str | None
    person_id: str | None
    window: Window = ALWAYS


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a journey needs of a sighting."""

    moment_key: str
    device_id: str
    site: str | None
    visit_id: str
    similarity_percent: float

    @property
    def seen_at(self) -> datetime:
        return from_iso(self.moment_key.partition("#")[0])


@dataclass(frozen=True, slots=True)
class JourneyVisit:
    """One visit, as far as its sightings lie in the window that was asked for."""

    visit_id: str
    device_id: str
    site: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    frames: int
    best_similarity_percent: float

    @classmethod
    def beginning_with(cls, glimpse: Glimpse) -> Self:
        seen_at = glimpse.seen_at
        return cls(
            glimpse.visit_id, glimpse.device_id, glimpse.site, seen_at, seen_at, 1, glimpse.similarity_percent
        )

    def seen_again(self, glimpse: Glimpse) -> Self:
        return replace(
            self,
            last_seen_at=glimpse.seen_at,
            frames=self.frames + 1,
            best_similarity_percent=max(self.best_similarity_percent, glimpse.similarity_percent),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "visit_id": self.visit_id,
            "device_id": self.device_id,
            "site": self.site,
            "first_seen_at": to_iso(self.first_seen_at),
            "last_seen_at": to_iso(self.last_seen_at),
            "frames": self.frames,
            "best_similarity": self.best_similarity_percent,
        }


@dataclass(frozen=True, slots=True)
class JourneyPlace:
    """From this sighting on; visits that were shown already but last longer are not shown again."""

    moment_key: str
    shown: frozenset[str] = frozenset()

    def to_key(self) -> str:
        return f"{self.moment_key}{_BETWEEN}{_AND.join(sorted(self.shown))}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        moment, between, shown = key.partition(_BETWEEN)
        if not between or not is_moment_key(moment):
            refuse_cursor()
        return cls(moment, frozenset(filter(None, shown.split(_AND))))


def moment_key(seen_at: datetime, sighting_id: str) -> str:
    return f"{to_iso(seen_at)}#{sighting_id}"


def is_moment_key(text: str) -> bool:
    """Whether a cursor may hold it."""
    return "#" in text and len(text.encode()) <= MOST_KEY_BYTES


def journey_of(
    glimpses: Iterable[Glimpse], limit: int, shown: frozenset[str] = frozenset()
) -> tuple[tuple[JourneyVisit, ...], JourneyPlace | None]:
    """The first `limit` visits of sightings in order of time, and where the next page begins.

    Visits at two devices may overlap, so a visit is complete only when its device cannot have seen the person
    again within the longest gap. RejectedError: that takes more sightings than can be read at once.
    """
    visits: dict[str, JourneyVisit] = {}
    next_key: str | None = None
    for number, glimpse in enumerate(glimpses):
        if number == MOST_SIGHTINGS:
            raise RejectedError(f"These are more than {MOST_SIGHTINGS} sightings: ask for a shorter time.")
        visit = visits.get(glimpse.visit_id)
        if visit is not None:
            visits[glimpse.visit_id] = visit.seen_again(glimpse)
        elif glimpse.visit_id in shown or len(visits.keys() - shown) < limit:
            visits[glimpse.visit_id] = JourneyVisit.beginning_with(glimpse)
        else:
            next_key = next_key or glimpse.moment_key
        if next_key and _are_over(visits.values(), glimpse.seen_at):
            break
    page = tuple(visit for visit in visits.values() if visit.visit_id not in shown)
    if next_key is None:
        return page, None
    going_on = {
        each.visit_id for each in visits.values() if to_iso(each.last_seen_at) >= next_key.partition("#")[0]
    }
    return page, JourneyPlace(next_key, frozenset(going_on))


def _are_over(visits: Iterable[JourneyVisit], at: datetime) -> bool:
    return all(at - visit.last_seen_at > LONGEST_GAP for visit in visits)
