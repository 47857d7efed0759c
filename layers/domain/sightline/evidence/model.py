"""What proves an alert: which files there are, what they show, and how to check that none was changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from sightline.clock import to_iso

SCHEMA_VERSION = 1
FRAME, UNBOXED, THUMBNAIL = "frame.jpg", "frame-unboxed.jpg", "thumbnail.jpg"
CLIP, FACE_RECORD, MANIFEST = "clip.mp4", "face-record.json", "manifest.json"
FILES = (FRAME, UNBOXED, THUMBNAIL, CLIP, FACE_RECORD)
# The clip shows this much before the frame, and as much after it.
MARGIN = timedelta(seconds=10)
# The longest fragment that Kinesis Video accepts.
LONGEST_FRAGMENT = timedelta(seconds=20)
# GetClip answers with the first 200 fragments or 100 MB and says nothing of the rest. Its bytes are those of
# the MP4 file, whose index is a little larger than what it replaces: hence the distance to 100 MB.
MAX_CLIP_FRAGMENTS = 200
MAX_CLIP_BYTES = 90_000_000


class UnreadableAlertError(Exception):
    """What the topic delivered is not an alert of ours."""


class NoVideoError(Exception):
    """The video cannot be had, now or later; its text is for people."""


class UnreadableVideoError(Exception):
    """The video is there, but no picture can be made of it."""


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What an alert says of the frame that shows the person best; box ratios are left, top, width, height."""

    alert_id: str
    video_stream_arn: str
    fragment_number: str
    frame_offset_seconds: float
    box: tuple[float, float, float, float]
    label: str
    face_record: Mapping[str, Any]

    @classmethod
    def from_alert(cls, body: str) -> Self:
        """Read the body of an alert; UnreadableAlertError when something is missing."""
        try:
            alert = json.loads(body)
            proof, box = alert["evidence"], alert["evidence"]["box"]
            return cls(
                alert_id=_plain(alert["alert_id"]),
                video_stream_arn=str(proof["video_stream_arn"]),
                fragment_number=_digits(proof["fragment_number"]),
                frame_offset_seconds=float(proof["frame_offset_seconds"]),
                box=(float(box["left"]), float(box["top"]), float(box["width"]), float(box["height"])),
                label=_label(alert),
                face_record=_face_record(alert),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableAlertError(
                f"not an alert with evidence: {type(error).__name__} {error}"
            ) from None


def _plain(alert_id: Any) -> str:
    """The id becomes a part of object keys."""
    if not isinstance(alert_id, str) or not alert_id or not alert_id.replace("-", "").isalnum():
        raise ValueError("alert_id")
    return alert_id


def _digits(number: Any) -> str:
    if not isinstance(number, str) or not number.isdecimal():
        raise ValueError("fragment_number")
    return number


def _label(alert: Mapping[str, Any]) -> str:
    """What stands at the box, as an operator reads it."""
    name, similarity = (alert.get("person") or {}).get("name"), alert.get("similarity")
    words = [str(name)] if name else []
    return " ".join([*words, f"{similarity:.1f}"] if isinstance(similarity, int | float) else words)


def _face_record(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The face as the engine found it, as far as the alert carries it, and where it was found."""
    proof = alert["evidence"]
    place = ("video_stream_arn", "fragment_number", "frame_offset_seconds", "box", "face_record")
    return {
        "alert_id": alert["alert_id"],
        "seen_at": alert.get("seen_at"),
        "similarity": alert.get("similarity"),
    } | {name: proof[name] for name in place if name in proof}


@dataclass(frozen=True, slots=True)
class RecordedFragment:
    """One archived fragment: its times as Kinesis Video tells them, and its bytes as it delivers them."""

    producer_timestamp: datetime
    server_timestamp: datetime
    media: bytes


@dataclass(frozen=True, slots=True)
class ListedFragment:
    """What the archive's index says of one fragment."""

    start: datetime
    duration: timedelta
    size_bytes: int

    @property
    def end(self) -> datetime:
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Span:
    """What one GetClip asks for, in whole seconds; `start` is that of its first fragment.

    Whole seconds, because older SDKs cut a timestamp's fraction off: down at the start, up at the end,
    no fragment is lost, since two never start within one second.
    """

    first_start: datetime
    last_start: datetime

    @property
    def asked_from(self) -> datetime:
        return self.first_start.replace(microsecond=0)

    @property
    def asked_to(self) -> datetime:
        end = self.last_start.replace(microsecond=0)
        end = end if end == self.last_start else end + timedelta(seconds=1)
        # GetClip refuses an empty range.
        return max(end, self.asked_from + timedelta(seconds=1))


def overlapping(fragments: list[ListedFragment], begin: datetime, end: datetime) -> list[ListedFragment]:
    """In order: those that show anything from `begin` to `end`, also when they began earlier.

    GetClip leaves out a fragment that runs already at its StartTimestamp: so it is asked from the start of
    the first of these.
    """
    return sorted(
        (each for each in fragments if each.start <= end and each.end > begin), key=lambda each: each.start
    )


def spans_of(fragments: list[ListedFragment]) -> list[Span]:
    """As many GetClip calls as its limits demand, for fragments in order."""
    spans: list[list[ListedFragment]] = []
    size = 0
    for fragment in fragments:
        size += fragment.size_bytes
        if not spans or len(spans[-1]) == MAX_CLIP_FRAGMENTS or size > MAX_CLIP_BYTES:
            spans.append([])
            size = fragment.size_bytes
        spans[-1].append(fragment)
    return [Span(each[0].start, each[-1].start) for each in spans]


@dataclass(frozen=True, slots=True)
class ClipTimes:
    """What a clip shows, from its first fragment to the end of its last."""

    begin: datetime
    end: datetime
    fragments: int

    def to_json(self) -> dict[str, Any]:
        return {"from": to_iso(self.begin), "to": to_iso(self.end), "fragments": self.fragments}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies in the bucket."""

    name: str
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        return cls(name, sha256(content).hexdigest(), len(content))


@dataclass(frozen=True, slots=True)
class Manifest:
    """The last file written: whatever it does not list was not collected, and `missing` says why."""

    request: EvidenceRequest
    made_at: datetime
    files: tuple[StoredFile, ...]
    missing: Mapping[str, str]
    frame_at: datetime | None
    clip: ClipTimes | None

    @property
    def status(self) -> str:
        """`complete`, `partial`, or `unavailable` when there is not even the frame."""
        if not self.missing:
            return "complete"
        return "unavailable" if FRAME in self.missing else "partial"

    def to_bytes(self) -> bytes:
        content = {
            "schema_version": SCHEMA_VERSION,
            "alert_id": self.request.alert_id,
            "status": self.status,
            "made_at": to_iso(self.made_at),
            "video_stream_arn": self.request.video_stream_arn,
            "fragment_number": self.request.fragment_number,
            "frame_offset_seconds": self.request.frame_offset_seconds,
            "frame_at": self.frame_at and to_iso(self.frame_at),
            "clip": self.clip and self.clip.to_json(),
            "files": [
                {"name": each.name, "sha256": each.sha256, "size_bytes": each.size_bytes}
                for each in self.files
            ],
            "missing": dict(self.missing),
        }
        return (json.dumps(content, indent=2) + "\n").encode()


def key_of(alert_id: str, name: str) -> str:
    """The object key of a file of an alert."""
    return f"alerts/{alert_id}/{name}"
