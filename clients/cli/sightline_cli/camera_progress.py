"""What the events of a camera add up to."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline_camera import CameraEvent

PERSISTED = "PERSISTED"


@dataclass(frozen=True, slots=True)
class PersistedFragment:
    """A fragment that the video stream has stored; its place in the video in seconds."""

    number: str
    video_seconds: float
    duration_seconds: float

    def fields(self) -> dict[str, Any]:
        return {
            "fragment_number": self.number,
            "video_seconds": self.video_seconds,
            "duration_seconds": self.duration_seconds,
        }


@dataclass
class CameraProgress:
    """How far the video is sent, and how much of it is safe."""

    sent: int = 0
    persisted: int = 0
    video_seconds: float = 0.0
    reconnecting: str = ""
    _durations_ms: dict[int, int] = field(default_factory=dict)
    _timecodes_ms: dict[str, int] = field(default_factory=dict)

    def take(self, event: "CameraEvent") -> PersistedFragment | None:
        """Count an event; give the fragment if this is the word that it is stored."""
        if event.kind == "fragment":
            self._sent(event)
        elif event.kind == "ack":
            return self._acknowledged(event)
        else:
            self.reconnecting = event.detail if event.kind == "reconnecting" else ""
        return None

    def fragment(self, number: str) -> PersistedFragment | None:
        """Give a fragment that was acknowledged."""
        timecode_ms = self._timecodes_ms.get(number)
        if timecode_ms is None:
            return None
        return PersistedFragment(number, timecode_ms / 1000, self._durations_ms.get(timecode_ms, 0) / 1000)

    def start_of(self, fragment_number: str) -> float | None:
        """Where in the video a fragment begins, in seconds; None for one that was never acknowledged."""
        timecode_ms = self._timecodes_ms.get(fragment_number)
        return None if timecode_ms is None else timecode_ms / 1000

    def _sent(self, event: "CameraEvent") -> None:
        timecode_ms, duration_ms = event.timecode_ms or 0, event.duration_ms or 0
        if timecode_ms not in self._durations_ms:
            self.sent += 1
        self._durations_ms[timecode_ms] = duration_ms
        self.video_seconds = max(self.video_seconds, (timecode_ms + duration_ms) / 1000)

    def _acknowledged(self, event: "CameraEvent") -> PersistedFragment | None:
        ack = event.ack
        if ack is None or ack.number is None or ack.timecode_ms is None:
            return None
        self._timecodes_ms[ack.number] = ack.timecode_ms
        if ack.event_type != PERSISTED:
            return None
        self.persisted += 1
        return self.fragment(ack.number)
