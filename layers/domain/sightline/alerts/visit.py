"""What a visit is: consecutive sightings of one person at one device, with no gap longer than the visit gap.

sightings of a batch, any order ──▶ runs ──▶ each run, against the visits that are known:
  lies within the gap of one              it continues that visit      no alert
  older than all that is remembered       a replay of a forgotten one  no alert, ever
  neither                                 a new visit                  one alert
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sightline.sightings.model import Sighting, stable_id


@dataclass(frozen=True, slots=True)
class Run:
    """Sightings of one person at one device without a gap, in order of time; never empty."""

    sightings: tuple[Sighting, ...]

    @property
    def first_seen_at(self) -> datetime:
        return self.sightings[0].seen_at

    @property
    def last_seen_at(self) -> datetime:
        return self.sightings[-1].seen_at

    @property
    def best(self) -> Sighting:
        """The earliest of the most similar."""
        return max(self.sightings, key=lambda sighting: sighting.match.similarity_percent)

    @property
    def visit_id(self) -> str:
        """Of the visit that this run would begin."""
        return visit_id_of(self.sightings[0])

    def began(self, visit_id: str) -> bool:
        """One of these sightings was the first of that visit: this batch has to see to its alert."""
        return any(visit_id_of(sighting) == visit_id for sighting in self.sightings)


@dataclass(frozen=True, slots=True)
class Visit:
    visit_id: str
    first_seen_at: datetime
    last_seen_at: datetime

    def is_near(self, run: Run, gap: timedelta) -> bool:
        return run.first_seen_at - gap <= self.last_seen_at and self.first_seen_at <= run.last_seen_at + gap

    def widened(self, first_seen_at: datetime, last_seen_at: datetime) -> "Visit":
        return replace(
            self,
            first_seen_at=min(self.first_seen_at, first_seen_at),
            last_seen_at=max(self.last_seen_at, last_seen_at),
        )


class Kind(Enum):
    NEW = "begins a visit"
    CONTINUES = "continues a visit"
    REPLAY = "belongs to a visit that is forgotten"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run belongs."""

    kind: Kind
    visit: Visit


def place_of(run: Run, visits: Iterable[Visit], *, forgotten_until: datetime | None, gap: timedelta) -> Place:
    """The place of `run` among the visits known; everything up to `forgotten_until` had its alert."""
    near = [visit for visit in visits if visit.is_near(run, gap)]
    if near:
        return Place(Kind.CONTINUES, max(near, key=lambda visit: visit.last_seen_at))
    visit = Visit(run.visit_id, run.first_seen_at, run.last_seen_at)
    is_old = forgotten_until is not None and run.first_seen_at - gap <= forgotten_until
    return Place(Kind.REPLAY if is_old else Kind.NEW, visit)


def runs_of(sightings: Iterable[Sighting], gap: timedelta) -> list[Run]:
    """The sightings of one person at one device, cut wherever the gap is longer; repeated ones count once."""
    once = {sighting.sighting_id: sighting for sighting in sightings}
    ordered = sorted(once.values(), key=lambda sighting: (sighting.seen_at, sighting.sighting_id))
    runs: list[list[Sighting]] = []
    for sighting in ordered:
        if runs and sighting.seen_at - runs[-1][-1].seen_at <= gap:
            runs[-1].append(sighting)
        else:
            runs.append([sighting])
    return [Run(tuple(run)) for run in runs]


def visit_id_of(first: Sighting) -> str:
    return stable_id("vi", first.device.device_id, first.person.person_id, first.sighting_id)
