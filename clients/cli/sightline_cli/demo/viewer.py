"""Shows what the camera and the alerts topic tell, in the order in which it comes."""

import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sightline_cli.camera_progress import CameraProgress
from sightline_cli.demo.alerts import ReceivedAlert
from sightline_cli.demo.report import Report
from sightline_cli.interrupts import Interrupt
from sightline_cli.streaming import Streaming


@dataclass
class Viewer:
    """Empties the queue of one camera; `on_alert` gets each alert and the second of the video it is about."""

    camera: Streaming
    report: Report
    interrupt: Interrupt
    total_seconds: float | None
    on_alert: Callable[[ReceivedAlert, float], None]
    progress: CameraProgress = field(default_factory=CameraProgress)

    def follow(self) -> None:
        """Show everything until the camera has ended; raise what ended it, if that was an error."""
        while not self.camera.ended:
            self._show_next(timeout=0.1)
        self.drain()
        if self.camera.error is not None:
            raise self.camera.error

    def drain(self) -> bool:
        """Show all that is there; False, so that a wait goes on."""
        while self._show_next(timeout=0):
            pass
        return False

    def _show_next(self, timeout: float) -> bool:
        self.interrupt.check()
        try:
            item = self.camera.events.get(timeout=timeout) if timeout else self.camera.events.get_nowait()
        except queue.Empty:
            return False
        if isinstance(item, ReceivedAlert):
            self.on_alert(item, self._video_seconds(item))
        else:
            self._show_camera(item)
        return True

    def _show_camera(self, event: Any) -> None:
        if (fragment := self.progress.take(event)) is not None:
            self.report.event("fragment", **fragment.fields())
        self.report.progress(self.progress.video_seconds, self.total_seconds)
        if self.progress.reconnecting:
            self.report.stage(f"connecting again: {self.progress.reconnecting}")

    def _video_seconds(self, received: ReceivedAlert) -> float:
        """Equal to seen_at minus the camera's start: a fragment's own time is counted from there."""
        evidence = received.alert["evidence"]
        start = self.progress.start_of(evidence["fragment_number"])
        return round((start or 0.0) + float(evidence["frame_offset_seconds"]), 3)
