"""What a visit is: consecutive sightings of one person at one device, with no gap longer than the visit gap.

sightings of a batch, any order ──▶ runs ──▶ each run, against the visits that are known:
  lies within the gap of one              it continues that visit
  older than all that is remembered       a replay of a forgotten one: no alert, ever
  neither                                 a new visit

A visit alerts once at the most: as soon as its frames agree and nothing speaks against it (`alerts/rule.py`).

A process that sees the person may know a later end of the visit than the table, by LAG of the gap at the
most: so it is written down as one of the visit's `followers` until it has written the end. While a visit has
followers other than the one who asks, and only then, it may reach so much farther.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sightline.sightings.model import Sighting, stable_id

# A visit's end is written when it moved by this share of the gap.
LAG = 0.25
# The most frames that a vote may ask for, and so the most that a visit remembers.
VOTES_KEPT = 10


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
    def counting(self) -> tuple[Sighting, ...]:
        """Those that may lead to an alert."""
        return tuple(sighting for sighting in self.sightings if sighting.counts)

    @property
    def best(self) -> Sighting:
        """The earliest of the most similar that count."""
        return max(self.counting or self.sightings, key=lambda sighting: sighting.similarity_percent)

    @property
    def visit_id(self) -> str:
        """Of the visit that this run would begin."""
        return visit_id_of(self.sightings[0])

    def holds(self, sighting_id: str) -> bool:
        return any(sighting.sighting_id == sighting_id for sighting in self.sightings)


@dataclass(frozen=True, slots=True)
class Visit:
    """`votes` are the frames that agreed, as long as there was no alert; `followers` are processes.

    `alerted_at` is when the person of its alert was seen, not when that was sent.
    """

    visit_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    votes: tuple[datetime, ...] = ()
    alerted_at: datetime | None = None
    followers: frozenset[str] = frozenset()

    def is_near(self, run: Run, gap: timedelta, me: str = "") -> bool:
        reach = gap * (1 + LAG) if self.followers - {me} else gap
        return run.first_seen_at - reach <= self.last_seen_at and self.first_seen_at <= run.last_seen_at + gap

    def widened(self, first_seen_at: datetime, last_seen_at: datetime) -> "Visit":
        return replace(
            self,
            first_seen_at=min(self.first_seen_at, first_seen_at),
            last_seen_at=max(self.last_seen_at, last_seen_at),
        )

    def met(self, run: Run, agreeing: Iterable[datetime]) -> "Visit":
        """With these sightings in it, of which so many vote."""
        wider = self.widened(run.first_seen_at, run.last_seen_at)
        return wider if self.alerted_at else replace(wider, votes=united_votes(self.votes, agreeing))

    def kept(self) -> "Visit":
        """As much of it as any later vote can need."""
        return replace(self, votes=self.votes[-VOTES_KEPT:])

    def alerted(self) -> "Visit":
        return replace(self, votes=(), alerted_at=min(self.votes))


def united_votes(*votes: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(sorted(set[datetime]().union(*votes)))


class Kind(Enum):
    NEW = "begins a visit"
    CONTINUES = "continues a visit"
    REPLAY = "belongs to a visit that is forgotten"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run belongs."""

    kind: Kind
    visit: Visit


def place_of(
    run: Run,
    visits: Iterable[Visit],
    *,
    forgotten_until: datetime | None,
    gap: timedelta,
    me: str = "",
) -> Place:
    """The place of `run` among the visits known to the process `me`; what is forgotten had its chance."""
    near = [visit for visit in visits if visit.is_near(run, gap, me)]
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
    return stable_id("vi", first.device.device_id, first.person_id, first.sighting_id)
