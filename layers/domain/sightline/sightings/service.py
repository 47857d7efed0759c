"""A batch of one face stream → parked records, sightings, visits and alerts, rows of the sightings stream."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.json import Encoder

from sightline.clock import Clock
from sightline.deliveries import Delivery
from sightline.errors import UnavailableError
from sightline.parking import ParkedRecord, ParkedRecords
from sightline.sightings.face_record import UnreadableRecordError, read_face_record
from sightline.sightings.model import (
    Attended,
    FaceRecord,
    Row,
    Sighting,
    device_of,
    faces_in_zones,
    sightings_of,
)
from sightline.sightings.roster import Known, RememberedRoster

# A batch that comes again finds in here which of its rows have gone out: enough for a hundred batches.
ROWS_REMEMBERED = 10_000
# A device's frames are noted this often at the most: silence is noticed within a minute, a note is a write.
NOTED_EVERY = timedelta(seconds=10)
_encode = Encoder().encode


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one face stream, in its order."""

    face_stream: str
    deliveries: tuple[Delivery, ...]


@dataclass(slots=True)
class Outcome:
    """What happened to a batch; `failures` are the positions of records that must come again, with why."""

    records: int
    parked: int = 0
    sightings: int = 0
    alerts_sent: int = 0
    unknown_faces: int = 0
    records_of_no_device: int = 0
    failures: dict[int, str] = field(default_factory=dict)

    def fail(self, positions: Iterable[int], reason: str) -> None:
        for position in positions:
            self.failures.setdefault(position, reason)


class Visitors(Protocol):
    def attend(self, sightings: Sequence[Sighting], frames: Mapping[str, Sequence[datetime]]) -> Attended:
        """Sort the sightings into visits and send the alerts that are due.

        `frames` are the moments of each device's frames that show a face, whosever it is: they vote.
        """
        ...


class Liveness(Protocol):
    def note(self, device_id: str, at: datetime) -> None:
        """The device's frames still arrive; UnavailableError when that cannot be written now."""
        ...


class SightingStream(Protocol):
    def put(self, rows: Sequence[Row]) -> frozenset[str]:
        """The sighting ids of the rows that did not go in."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A sighting, and the position of the first record of the batch that shows it."""

    position: int
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class FaceRecordConsumer:
    """`consume` may be given the same batch again, wholly or from any record on, at any time."""

    roster: RememberedRoster
    visitors: Visitors
    stream: SightingStream
    parked: ParkedRecords
    liveness: Liveness
    clock: Clock
    stack_name: str
    rows_put: OrderedDict[str, None] = field(default_factory=OrderedDict)
    noted_at: dict[str, datetime] = field(default_factory=dict)

    def consume(self, batch: Batch) -> Outcome:
        outcome = Outcome(len(batch.deliveries))
        records = self._read(batch, outcome)
        frames: dict[str, list[datetime]] = {}
        seen = self._see(batch.face_stream, records, frames, outcome)
        attended = self._attend(seen, frames)
        outcome.alerts_sent = attended.alerts_sent
        for each in seen:
            if each.sighting.sighting_id in attended.refused:
                outcome.fail([each.position], attended.refused[each.sighting.sighting_id])
        self._put_rows(seen, attended, outcome)
        self._note(batch.face_stream, records)
        return outcome

    def _attend(self, seen: Sequence[_Seen], frames: Mapping[str, Sequence[datetime]]) -> Attended:
        """Unknown faces that are only kept belong to no visit."""
        return self.visitors.attend([each.sighting for each in seen if _has_visits(each.sighting)], frames)

    def _note(self, face_stream: str, records: Mapping[int, FaceRecord]) -> None:
        """Also frames without a face say that the device lives."""
        if not records:
            return
        last = records[max(records)]
        device_id = device_of(face_stream, last.frame.video_stream_arn, stack_name=self.stack_name)
        now = self.clock()
        if device_id is None or now - self.noted_at.setdefault(device_id, now) < NOTED_EVERY:
            return
        self.noted_at[device_id] = now
        with suppress(UnavailableError):  # the next one comes in ten seconds
            self.liveness.note(device_id, now)

    def _read(self, batch: Batch, outcome: Outcome) -> dict[int, FaceRecord]:
        records: dict[int, FaceRecord] = {}
        for position, delivery in enumerate(batch.deliveries):
            try:
                records[position] = read_face_record(delivery.payload)
            except UnreadableRecordError as error:
                self._park(batch.face_stream, position, delivery, str(error), outcome)
        return records

    def _park(
        self, face_stream: str, position: int, delivery: Delivery, reason: str, outcome: Outcome
    ) -> None:
        try:
            self.parked.park(
                ParkedRecord(face_stream, delivery.sequence_number, delivery.payload, reason, self.clock())
            )
        except UnavailableError as error:
            outcome.fail([position], error.detail)
        else:
            outcome.parked += 1

    def _see(
        self,
        face_stream: str,
        records: dict[int, FaceRecord],
        frames: dict[str, list[datetime]],
        outcome: Outcome,
    ) -> list[_Seen]:
        """The sightings of the batch; `frames` is filled with the frames that show a face."""
        with_faces = {position: record for position, record in records.items() if record.faces}
        if not with_faces:
            return []
        devices = {
            position: device_of(face_stream, record.frame.video_stream_arn, stack_name=self.stack_name)
            for position, record in with_faces.items()
        }
        try:
            known = self._look_up(devices, with_faces)
        except UnavailableError as error:
            outcome.fail(with_faces, error.detail)
            return []
        seen: dict[str, _Seen] = {}
        now = self.clock()
        for position, record in with_faces.items():
            outcome.unknown_faces += sum(
                match.face_id not in known.faces for face in record.faces for match in face.matches
            )
            device = known.devices.get(devices[position] or "")
            if device is None:
                # The device was deleted while its last records were on their way: nobody waits for its alerts
                # any more, and no retry brings it back. So they are counted, not parked and not retried.
                outcome.records_of_no_device += 1
                continue
            if device.vote.n > 1 and faces_in_zones(record, device):
                frames.setdefault(device.device_id, []).append(record.frame.seen_at)
            for sighting in sightings_of(record, device, known.faces, known.watchlists, now):
                seen.setdefault(sighting.sighting_id, _Seen(position, sighting))
        outcome.sightings = len(seen)
        return list(seen.values())

    def _look_up(self, devices: dict[int, str | None], records: dict[int, FaceRecord]) -> Known:
        device_ids = frozenset(device_id for device_id in devices.values() if device_id)
        face_ids = frozenset(
            match.face_id for record in records.values() for face in record.faces for match in face.matches
        )
        return self.roster.look_up(device_ids, face_ids, self.clock())

    def _put_rows(self, seen: Sequence[_Seen], attended: Attended, outcome: Outcome) -> None:
        """The rows of what is settled; what must come again brings its rows then."""
        now = self.clock()
        rows = [
            _row(each.sighting, attended.visit_ids.get(each.sighting.sighting_id), now)
            for each in seen
            if _is_settled(each.sighting, attended) and each.sighting.sighting_id not in self.rows_put
        ]
        if not rows:
            return
        refused = self.stream.put(rows)
        missing = (each.position for each in seen if each.sighting.sighting_id in refused)
        outcome.fail(missing, "the sightings stream did not take every row")
        self._remember(row.sighting_id for row in rows if row.sighting_id not in refused)

    def _remember(self, sighting_ids: Iterable[str]) -> None:
        self.rows_put.update(dict.fromkeys(sighting_ids))
        while len(self.rows_put) > ROWS_REMEMBERED:
            self.rows_put.popitem(last=False)


def _has_visits(sighting: Sighting) -> bool:
    return sighting.person is not None or sighting.device.alert_unknown_faces


def _is_settled(sighting: Sighting, attended: Attended) -> bool:
    """Of unknown faces, only what the device says is kept becomes a row."""
    if sighting.person is None and not sighting.device.keep_unknown_faces:
        return False
    return not _has_visits(sighting) or sighting.sighting_id in attended.visit_ids


def _row(sighting: Sighting, visit_id: str | None, recorded_at: datetime) -> Row:
    row = sighting.to_row(visit_id=visit_id, recorded_at=recorded_at)
    return Row(sighting.sighting_id, sighting.device.device_id, _encode(row))
