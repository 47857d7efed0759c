"""The face records of one device, read to know when the analysis of a video has come to its end."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sightline_cli.camera_progress import PersistedFragment
from sightline_cli.demo.stream_reader import StreamReader

# A processor looks at a frame every 0.2 s of a fragment, at one a second when it is late, and passes over
# fragments that are 10 s late: the last frames of a video need not have records.
FRAME_MS = 200
SLOWEST_MS = 1000
SETTLED_SECONDS = 1.0
QUIET_SECONDS = 10.0
# A busy machine is slow all the time: whoever waits does so in its rhythm.
PAUSES = 3


class FrameId(NamedTuple):
    """Where a frame is in a video stream."""

    fragment_number: str
    offset_ms: int


@dataclass
class FaceRecords:
    """All face records so far; matches count from `threshold` per cent on."""

    stream: StreamReader
    threshold: float
    now: Callable[[], float] = time.monotonic
    lines: list[bytes] = field(default_factory=list)
    last_match: FrameId | None = None
    _last: FrameId | None = None
    _newest: float | None = None
    _longest_pause: float = 0.0

    def poll(self) -> None:
        """Read what has come since the last time."""
        found, now = self.stream.poll(), self.now()
        if found or self._newest is None:
            self._longest_pause = max(
                self._longest_pause, now - (now if self._newest is None else self._newest)
            )
            self._newest = now
        for data in found:
            self._take(data)

    def are_complete(self, last: PersistedFragment | None) -> bool:
        """Tell whether the video, whose last fragment is given, is analysed to its end."""
        self.poll()
        patience = self._patience(last)
        # Nothing to wait for, or nothing has come for so long that nothing will.
        return patience == 0 or self.now() - (self._newest or 0.0) >= max(
            patience, PAUSES * self._longest_pause
        )

    def write(self, path: Path) -> None:
        """Write them as `sightline replay` reads them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(line + b"\n" for line in self.lines))

    def _patience(self, last: PersistedFragment | None) -> float:
        if last is None or self._last is None or self._last.fragment_number != last.number:
            return QUIET_SECONDS
        offset_ms, duration_ms = self._last.offset_ms, round(last.duration_seconds * 1000)
        if (offset_ms // FRAME_MS + 1) * FRAME_MS >= duration_ms:
            return 0
        return SETTLED_SECONDS if duration_ms - offset_ms <= SLOWEST_MS else QUIET_SECONDS

    def _take(self, data: bytes) -> None:
        record = json.loads(data)
        self.lines.append(data.rstrip(b"\n"))
        self._last = frame_id(record["InputInformation"]["KinesisVideo"])
        matches = [match for face in record["FaceSearchResponse"] for match in face["MatchedFaces"]]
        if any(match["Similarity"] >= self.threshold for match in matches):
            self.last_match = self._last


def frame_id(video: dict[str, Any]) -> FrameId:
    """Read the KinesisVideo part of a face record."""
    return FrameId(str(video["FragmentNumber"]), round(float(video["FrameOffsetInSeconds"]) * 1000))
