"""The end of an analysis: every frame has its record, every match its alert."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from sightline_cli.camera_progress import PersistedFragment
from sightline_cli.demo.alerts import Inbox
from sightline_cli.demo.records import FaceRecords, FrameId
from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.demo.viewer import Viewer
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt

ANALYSIS_SECONDS = 60.0
ALERT_SECONDS = 30.0
GRACE_SECONDS = 1.0


@dataclass
class Sightings:
    """The frames of the sightings stream: a sighting comes there after the alert that it caused."""

    stream: StreamReader
    frames: set[FrameId] = field(default_factory=set)

    def include(self, frame: FrameId) -> bool:
        for data in self.stream.poll():
            row = json.loads(data)
            self.frames.add(FrameId(row["fragment_number"], round(float(row["frame_offset_seconds"]) * 1000)))
        return frame in self.frames


@dataclass(frozen=True, slots=True)
class Analysis:
    """Waits, and shows meanwhile what the viewer has to show."""

    records: FaceRecords
    sightings: Sightings
    inbox: Inbox
    viewer: Viewer
    interrupt: Interrupt

    def await_end(self, last: PersistedFragment | None) -> None:
        """Return when all that follows from the video has come; CliError if it does not."""
        if not self._wait(lambda: self.records.are_complete(last), ANALYSIS_SECONDS):
            raise CliError(f"the video was not analysed {ANALYSIS_SECONDS:.0f} s after its end")
        match = self.records.last_match
        if match and not self._wait(lambda: self.sightings.include(match), ALERT_SECONDS):
            raise CliError("somebody was recognised, but no sighting came of it (--keep DIR keeps the logs)")
        self._wait(self.inbox.is_empty, ALERT_SECONDS)
        # Whatever else may come of the video belongs to the demo, too.
        self._wait(lambda: False, GRACE_SECONDS)

    def _wait(self, done: Callable[[], bool], seconds: float) -> bool:
        waited = self.interrupt.wait_for(lambda: self.viewer.drain() or done(), seconds)
        self.viewer.drain()
        return waited
