"""In-memory adapters of `sightline.sightings`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sightline.clock import from_iso
from sightline.errors import UnavailableError
from sightline.parking import ParkedRecord
from sightline.sightings.model import DeviceFacts, Row
from sightline.sightings.roster import ONLY_DEFAULT, Known
from sightline.watchlist.model import Face, Watchlist
from tests.fakes.alerts import Calls


@dataclass
class FakeRoster:
    devices: dict[str, DeviceFacts] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    is_down: bool = False
    watchlists: dict[str, Watchlist] = field(default_factory=lambda: dict(ONLY_DEFAULT))
    asked: list[tuple[frozenset[str], frozenset[str]]] = field(default_factory=list)

    def look_up(self, device_ids: frozenset[str], face_ids: frozenset[str]) -> Known:
        self.asked.append((device_ids, face_ids))
        if self.is_down:
            raise UnavailableError("the devices and faces tables refused: AccessDeniedException")
        known: Known = self.calls.make("roster.look_up", lambda: self._known(device_ids, face_ids))
        return known

    def _known(self, device_ids: frozenset[str], face_ids: frozenset[str]) -> Known:
        return Known(
            {each: self.devices[each] for each in device_ids & self.devices.keys()},
            {each: self.faces[each] for each in face_ids & self.faces.keys()},
            dict(self.watchlists),
        )


@dataclass
class FakeStream:
    """`refuse_next`: so many rows of the next call are not taken."""

    calls: Calls = field(default_factory=Calls)
    rows: list[dict[str, Any]] = field(default_factory=list)
    refuse_next: int = 0

    def put(self, rows: Sequence[Row]) -> frozenset[str]:
        refused, taken = rows[: self.refuse_next], rows[self.refuse_next :]
        self.refuse_next = 0
        try:
            self.calls.make("stream.put", lambda: self.rows.extend(json.loads(row.content) for row in taken))
        except UnavailableError:
            return frozenset(row.sighting_id for row in rows)
        return frozenset(row.sighting_id for row in refused)


@dataclass
class FakeParkedRecords:
    calls: Calls = field(default_factory=Calls)
    records: dict[str, ParkedRecord] = field(default_factory=dict)
    is_down: bool = False

    def park(self, record: ParkedRecord) -> None:
        if self.is_down:
            raise UnavailableError("the bucket for parked records refused: NoSuchBucket")
        key = f"{record.stream}/{record.sequence_number}"
        self.calls.make("parked.park", lambda: self.records.__setitem__(key, record))


@dataclass
class FakeLiveness:
    calls: Calls = field(default_factory=Calls)
    notes: list[tuple[str, datetime]] = field(default_factory=list)

    def note(self, device_id: str, at: datetime) -> None:
        self.calls.make("liveness.note", lambda: self.notes.append((device_id, at)))


@dataclass
class FakeWitness:
    """Reads what went into the stream, as if it were in the table at once."""

    stream: FakeStream
    calls: Calls = field(default_factory=Calls)

    def last_seen(
        self, device_id: str, person_id: str, *, after: datetime, before: datetime
    ) -> datetime | None:
        moments = (
            from_iso(row["seen_at"])
            for row in reversed(self.stream.rows)
            if (row["device_id"], row["person_id"]) == (device_id, person_id)
        )
        found: datetime | None = self.calls.make(
            "witness.last_seen", lambda: max((at for at in moments if after < at < before), default=None)
        )
        return found
