"""What was seen: face records, and the sightings of enrolled people in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sightline.clock import to_iso
from sightline.devices.model import Location
from sightline.watchlist.model import DEFAULT_WATCHLIST, Face

SCHEMA_VERSION = 1
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

    @property
    def matched_face_ids(self) -> frozenset[str]:
        return frozenset(match.face_id for face in self.faces for match in face.matches)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a sighting needs to know of its device."""

    device_id: str
    name: str
    site: str | None
    location: Location | None
    time_zone: str
    engine: str
    similarity_threshold_percent: float


@dataclass(frozen=True, slots=True)
class Sighting:
    """An enrolled person in one frame of one device."""

    sighting_id: str
    seen_at: datetime
    device: DeviceFacts
    person: Face
    match: Match
    face: DetectedFace
    frame: Frame

    def to_row(self, *, visit_id: str, recorded_at: datetime) -> dict[str, Any]:
        """The flat row of the sightings stream, the lake and the warehouse."""
        pose = self.face.pose
        return {
            "sighting_id": self.sighting_id,
            "device_id": self.device.device_id,
            "site": self.device.site,
            "seen_at": to_iso(self.seen_at),
            "person_id": self.person.person_id,
            "person_name": self.person.person_name,
            "watchlist_id": next(iter(self.person.watchlist_ids), DEFAULT_WATCHLIST.watchlist_id),
            "similarity": self.match.similarity_percent,
            "face_id": self.match.face_id,
            "external_image_id": self.match.external_image_id,
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
            "server_timestamp": to_iso(self.frame.server_timestamp),
            "producer_timestamp": to_iso(self.frame.producer_timestamp),
            "engine": self.device.engine,
            "visit_id": visit_id,
            "recorded_at": to_iso(recorded_at),
            "schema_version": SCHEMA_VERSION,
        }


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that is no face record, kept as it came."""

    face_stream: str
    sequence_number: str
    payload: bytes
    reason: str
    parked_at: datetime


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
    record: FaceRecord, device: DeviceFacts, enrolled: Mapping[str, Face]
) -> tuple[Sighting, ...]:
    """One per person: somebody with several enrolled faces matches several times, and is one person."""
    best: dict[str, Sighting] = {}
    for face in record.faces:
        for match in face.matches:
            person = enrolled.get(match.face_id)
            if person is None or match.similarity_percent < device.similarity_threshold_percent:
                continue
            rival = best.get(person.person_id)
            if rival is None or match.similarity_percent > rival.match.similarity_percent:
                best[person.person_id] = _sighting(record.frame, device, person, match, face)
    return tuple(best.values())


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


def _sighting(frame: Frame, device: DeviceFacts, person: Face, match: Match, face: DetectedFace) -> Sighting:
    key = (
        frame.video_stream_arn,
        frame.fragment_number,
        f"{frame.frame_offset_seconds:.3f}",  # 2, 2.0 and 2E0 are one moment
        str(face.index),
        person.person_id,
    )
    return Sighting(stable_id("si", *key), frame.seen_at, device, person, match, face, frame)


def stable_id(prefix: str, *parts: str) -> str:
    """The same parts give the same id, so that whatever a retry repeats is recognised."""
    digest = sha256("\n".join(parts).encode()).hexdigest()
    return f"{prefix}-{digest[:32]}"
