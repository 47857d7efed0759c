"""What was seen: face records, and the sightings of enrolled people in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sightline.alerts.rule import is_in_zones, verdict_of
from sightline.clock import to_iso
from sightline.devices.model import DEFAULT_VOTE, Location, Vote, Zone
from sightline.watchlist.model import DEFAULT_WATCHLIST, Face, Watchlist

SCHEMA_VERSION = 1
# Stands for everybody unknown where a person's id is a key; no person can have it (ids have no "#").
UNKNOWN_PERSON = "#unknown"
# The frames of a fragment share its times, and the rows of a batch the moment they were recorded.
_iso = lru_cache(maxsize=256)(to_iso)
_STREAM_OF_ARN = re.compile(r"arn:[^:]+:kinesisvideo:[^:]*:[^:]*:stream/([^/]+)")


@dataclass(frozen=True, slots=True)
class Frame:
    """One analysed frame of a video stream; a fragment number has more digits than 64 bits, so it is text."""

    video_stream_arn: str
    fragment_number: str
    frame_offset_seconds: float
    producer_timestamp: datetime
    server_timestamp: datetime

    @property
    def seen_at(self) -> datetime:
        """To the millisecond, as everything that is written down about it."""
        exact = self.producer_timestamp + timedelta(seconds=self.frame_offset_seconds)
        return datetime.fromtimestamp(round(exact.timestamp(), 3), UTC)


@dataclass(frozen=True, slots=True)
class Box:
    """Ratios of the frame's width and height; at the edge they may lie a little outside 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees, -180 to 180."""

    pitch: float
    roll: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Match:
    """An enrolled face that resembles the one in the frame; `external_image_id` is None if none was given."""

    similarity_percent: float
    face_id: str
    external_image_id: str | None


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """`index` is its place in the record; what AWS may leave out of a record is None."""

    index: int
    box: Box
    confidence_percent: float | None
    pose: Pose | None
    brightness_percent: float | None
    sharpness_percent: float | None
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One analysed frame and the faces in it: most frames have none."""

    frame: Frame
    faces: tuple[DetectedFace, ...]


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a sighting needs to know of its device; without a visit gap of its own the stack's holds."""

    device_id: str
    name: str
    site: str | None
    location: Location | None
    time_zone: str
    engine: str
    similarity_threshold_percent: float
    zones: tuple[Zone, ...] = ()
    vote: Vote = DEFAULT_VOTE
    visit_gap: timedelta | None = None
    cool_down: timedelta = timedelta(0)
    keep_unknown_faces: bool = False
    alert_unknown_faces: bool = False

    @property
    def wants_unknown_faces(self) -> bool:
        return self.keep_unknown_faces or self.alert_unknown_faces


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person in one frame of one device; without person and match it is somebody unknown.

    `watchlist` is the list the person is shown under; `counts` says whether the sighting may alert.
    """

    sighting_id: str
    seen_at: datetime
    device: DeviceFacts
    person: Face | None
    match: Match | None
    face: DetectedFace
    frame: Frame
    watchlist: Watchlist | None = DEFAULT_WATCHLIST
    counts: bool = True

    @property
    def person_id(self) -> str:
        return UNKNOWN_PERSON if self.person is None else self.person.person_id

    @property
    def similarity_percent(self) -> float:
        return 0.0 if self.match is None else self.match.similarity_percent

    def to_row(self, *, visit_id: str | None, recorded_at: datetime) -> dict[str, Any]:
        """The flat row of the sightings stream, the lake and the warehouse."""
        pose, person, match = self.face.pose, self.person, self.match
        return {
            "sighting_id": self.sighting_id,
            "device_id": self.device.device_id,
            "site": self.device.site,
            "seen_at": to_iso(self.seen_at),
            "person_id": person and person.person_id,
            "person_name": person and person.person_name,
            "watchlist_id": self.watchlist and self.watchlist.watchlist_id,
            "similarity": match and match.similarity_percent,
            "face_id": match and match.face_id,
            "external_image_id": match and match.external_image_id,
            "face_confidence": self.face.confidence_percent,
            "box_left": self.face.box.left,
            "box_top": self.face.box.top,
            "box_width": self.face.box.width,
            "box_height": self.face.box.height,
            "pose_pitch": pose and pose.pitch,
            "pose_roll": pose and pose.roll,
            "pose_yaw": pose and pose.yaw,
            "brightness": self.face.brightness_percent,
            "sharpness": self.face.sharpness_percent,
            "video_stream_arn": self.frame.video_stream_arn,
            "fragment_number": self.frame.fragment_number,
            "frame_offset_seconds": self.frame.frame_offset_seconds,
            "server_timestamp": _iso(self.frame.server_timestamp),
            "producer_timestamp": _iso(self.frame.producer_timestamp),
            "engine": self.device.engine,
            "visit_id": visit_id,
            "recorded_at": _iso(recorded_at),
            "schema_version": SCHEMA_VERSION,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """What goes to the sightings stream: `content` is one JSON object."""

    sighting_id: str
    device_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Attended:
    """What became of sightings: their visits, the alerts that went out, which must come again and why."""

    visit_ids: Mapping[str, str]  # sighting id → visit id
    alerts_sent: int
    refused: Mapping[str, str]  # sighting id → reason


def sightings_of(
    record: FaceRecord,
    device: DeviceFacts,
    enrolled: Mapping[str, Face],
    watchlists: Mapping[str, Watchlist],
    now: datetime,
) -> tuple[Sighting, ...]:
    """One per person, however many of the enrolled faces match; one per unknown face, if wanted."""
    best: dict[str, Sighting] = {}
    unknown: list[Sighting] = []
    seen_at = record.frame.seen_at
    for face in faces_in_zones(record, device):
        is_known = False
        for match in face.matches:
            person = enrolled.get(match.face_id)
            if person is None:
                continue
            verdict = verdict_of(
                match.similarity_percent,
                seen_at,
                now,
                face=person,
                watchlists=watchlists,
                device_percent=device.similarity_threshold_percent,
            )
            if verdict is None:
                continue
            is_known = True
            rival = best.get(person.person_id)
            # A match that counts is worth more than one that is only kept.
            worth = (verdict.counts, match.similarity_percent)
            if rival is None or worth > (rival.counts, rival.similarity_percent):
                best[person.person_id] = Sighting(
                    _sighting_id(record.frame, face, person.person_id),
                    *(seen_at, device, person, match, face, record.frame),
                    watchlist=verdict.watchlist,
                    counts=verdict.counts,
                )
        if not is_known and device.wants_unknown_faces:
            unknown.append(_unknown(record.frame, seen_at, device, face))
    return (*best.values(), *unknown)


def faces_in_zones(record: FaceRecord, device: DeviceFacts) -> Sequence[DetectedFace]:
    """The faces whose centre lies in a zone of the device; it does not look at the others."""
    if not device.zones:
        return record.faces
    return [face for face in record.faces if is_in_zones(*face.box.centre, device.zones)]


def device_of(face_stream: str, video_stream_arn: str, *, stack_name: str) -> str | None:
    """The device id behind a face record, None if it is none of ours.

    A face stream `STACK-faces-DEVICE` belongs to one device (AWS forbids sharing), whatever video stream its
    records name: a replayed one names the stream it was once made from. A face stream of any other name is
    shared, and there the video stream `STACK-DEVICE` tells.
    """
    own = f"{stack_name}-faces-"
    if face_stream.startswith(own):
        return face_stream.removeprefix(own) or None
    found = _STREAM_OF_ARN.match(video_stream_arn)
    if found is None or not found[1].startswith(f"{stack_name}-"):
        return None
    return found[1].removeprefix(f"{stack_name}-") or None


def _unknown(frame: Frame, seen_at: datetime, device: DeviceFacts, face: DetectedFace) -> Sighting:
    sighting_id = _sighting_id(frame, face, UNKNOWN_PERSON)
    return Sighting(
        sighting_id, seen_at, device, None, None, face, frame, None, counts=device.alert_unknown_faces
    )


def _sighting_id(frame: Frame, face: DetectedFace, person_id: str) -> str:
    offset = f"{frame.frame_offset_seconds:.3f}"  # 2, 2.0 and 2E0 are one moment
    return stable_id("si", frame.video_stream_arn, frame.fragment_number, offset, str(face.index), person_id)


def stable_id(prefix: str, *parts: str) -> str:
    """The same parts give the same id, so that whatever a retry repeats is recognised."""
    digest = sha256("\n".join(parts).encode()).hexdigest()
    return f"{prefix}-{digest[:32]}"
