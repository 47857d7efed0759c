"""In-memory adapters of `sightline.sightings`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.errors import UnavailableError
from sightline.sightings.model import DeviceFacts, ParkedRecord, Row
from sightline.sightings.roster import Known
from sightline.watchlist.model import Face
from tests.fakes.alerts import Calls


@dataclass
class FakeRoster:
    devices: dict[str, DeviceFacts] = field(default_factory=dict)
    faces: dict[str, Face] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    is_down: bool = False
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
        key = f"{record.face_stream}/{record.sequence_number}"
        self.calls.make("parked.park", lambda: self.records.__setitem__(key, record))
