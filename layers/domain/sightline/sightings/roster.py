"""Who is enrolled and which devices there are, remembered for a while by a warm function."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from sightline.sightings.model import DeviceFacts
from sightline.watchlist.model import DEFAULT_WATCHLIST, Face, Watchlist

KNOWN_FOR = timedelta(seconds=60)
# A face is in the collection a moment before it is in the table; a deleted one may match a moment longer.
# Without a short memory also for these, each of their frames would cost a call.
UNKNOWN_FOR = timedelta(seconds=5)
CACHE_SIZE = 10_000

# The list that exists without being stored.
ONLY_DEFAULT: Mapping[str, Watchlist] = {DEFAULT_WATCHLIST.watchlist_id: DEFAULT_WATCHLIST}

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables hold of the ids that were asked for; an id that is not in it is unknown."""

    devices: Mapping[str, DeviceFacts]
    faces: Mapping[str, Face]
    watchlists: Mapping[str, Watchlist] = field(default_factory=lambda: ONLY_DEFAULT)


class Roster(Protocol):
    def look_up(self, device_ids: frozenset[str], face_ids: frozenset[str]) -> Known:
        """One read for both, and for all watchlists; UnavailableError when it cannot be had now."""
        ...


@dataclass(slots=True)
class _Cache(Generic[Fact]):
    entries: OrderedDict[str, tuple[Fact | None, datetime]] = field(default_factory=OrderedDict)

    def missing(self, ids: frozenset[str], now: datetime) -> frozenset[str]:
        return frozenset(each for each in ids if each not in self.entries or self.entries[each][1] <= now)

    def learn(self, asked: frozenset[str], found: Mapping[str, Fact], now: datetime) -> None:
        for each in asked:
            fact = found.get(each)
            self.entries[each] = (fact, now + (UNKNOWN_FOR if fact is None else KNOWN_FOR))
            self.entries.move_to_end(each)
        while len(self.entries) > CACHE_SIZE:
            self.entries.popitem(last=False)

    def known(self, ids: Iterable[str]) -> dict[str, Fact]:
        facts = {each: self.entries[each][0] for each in ids if each in self.entries}
        return {each: fact for each, fact in facts.items() if fact is not None}


@dataclass(slots=True)
class RememberedRoster:
    """Asks `roster` only for what it does not know yet, or has known for too long.

    Each answer brings all watchlists, so they are never older than the device and the faces.
    """

    roster: Roster
    devices: _Cache[DeviceFacts] = field(default_factory=_Cache)
    faces: _Cache[Face] = field(default_factory=_Cache)
    watchlists: Mapping[str, Watchlist] = field(default_factory=lambda: ONLY_DEFAULT)

    def look_up(self, device_ids: frozenset[str], face_ids: frozenset[str], now: datetime) -> Known:
        new_devices, new_faces = self.devices.missing(device_ids, now), self.faces.missing(face_ids, now)
        if new_devices or new_faces:
            found = self.roster.look_up(new_devices, new_faces)
            self.devices.learn(new_devices, found.devices, now)
            self.faces.learn(new_faces, found.faces, now)
            self.watchlists = found.watchlists
        return Known(self.devices.known(device_ids), self.faces.known(face_ids), self.watchlists)
