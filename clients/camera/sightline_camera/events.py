"""What a camera tells while it streams, and at the end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sightline_media import Ack

Kind = Literal["connected", "fragment", "ack", "reconnecting"]


@dataclass(frozen=True, slots=True)
class CameraEvent:
    """One thing that happened; `timecode_ms` counts from the first frame, also over repetitions of a file."""

    kind: Kind
    at: datetime
    timecode_ms: int | None = None
    duration_ms: int | None = None
    size_bytes: int | None = None
    ack: Ack | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was streamed: how many fragments, the time of frame 0, the number of the last fragment."""

    fragments: int
    start: datetime
    last_fragment_number: str | None
