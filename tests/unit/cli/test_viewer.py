"""What is made of the events of a camera."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sightline_camera import CameraError, CameraEvent
from sightline_cli.camera_progress import CameraProgress, PersistedFragment
from sightline_cli.demo.alerts import ReceivedAlert
from sightline_cli.demo.report import Outcome, Step
from sightline_cli.demo.viewer import Viewer
from sightline_cli.interrupts import Interrupt
from sightline_cli.streaming import Streaming
from sightline_media import Ack

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def sent(timecode_ms: int, detail: str = "") -> CameraEvent:
    return CameraEvent("fragment", NOW, timecode_ms, 1000, 10_000, None, detail)


def acked(timecode_ms: int, event_type: str) -> CameraEvent:
    ack = Ack(event_type, timecode_ms, f"number-{timecode_ms}")
    return CameraEvent("ack", NOW, timecode_ms, ack=ack)


def an_alert(fragment_number: str, offset: float) -> ReceivedAlert:
    evidence = {"fragment_number": fragment_number, "frame_offset_seconds": offset}
    return ReceivedAlert("", {"alert_id": "al-1", "evidence": evidence}, NOW)


class FakeReport:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.stages: list[str] = []
        self.seconds = 0.0

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def event(self, name: str, **fields: Any) -> None:
        self.events.append((name, fields))

    def progress(self, video_seconds: float, total_seconds: float | None) -> None:
        assert total_seconds == 2.0
        self.seconds = video_seconds

    def done(self, step: Step) -> None: ...

    def summary(self, outcome: Outcome) -> None: ...


def a_viewer(*items: object) -> tuple[Viewer, FakeReport, list[float]]:
    camera, report, seconds = Streaming(), FakeReport(), list[float]()
    for item in items:
        camera.events.put(item)
    viewer = Viewer(camera, report, Interrupt(), 2.0, lambda _, second: seconds.append(second))
    return viewer, report, seconds


def test_a_fragment_is_told_once_when_it_is_stored() -> None:
    events = [acked(1000, kind) for kind in ("BUFFERING", "RECEIVED", "PERSISTED")]
    viewer, report, _ = a_viewer(sent(0), sent(1000), *events)

    viewer.drain()

    fields = {"fragment_number": "number-1000", "video_seconds": 1.0, "duration_seconds": 1.0}
    assert report.events == [("fragment", fields)]
    assert report.seconds == 2.0


def test_the_second_of_an_alert_is_that_of_its_frame_in_the_video() -> None:
    viewer, _, seconds = a_viewer(sent(6000), acked(6000, "RECEIVED"), an_alert("number-6000", 0.4))

    viewer.drain()

    assert seconds == [6.4]


def test_a_camera_that_loses_its_connection_is_told() -> None:
    viewer, report, _ = a_viewer(CameraEvent("reconnecting", NOW, detail="the service ended the connection"))

    viewer.drain()

    assert report.stages == ["connecting again: the service ended the connection"]


def test_control_c_ends_the_viewing() -> None:
    viewer, _, _ = a_viewer(sent(0))
    viewer.interrupt.requested = True

    with pytest.raises(KeyboardInterrupt):
        viewer.drain()


def test_what_ended_the_camera_comes_out() -> None:
    viewer, _, _ = a_viewer()
    viewer.camera.error = CameraError("the stream is gone")
    viewer.camera._thread = _Ended()  # type: ignore[assignment]

    with pytest.raises(CameraError, match="the stream is gone"):
        viewer.follow()


class _Ended:
    def is_alive(self) -> bool:
        return False


def test_a_fragment_that_is_sent_again_counts_once() -> None:
    progress = CameraProgress()

    for event in (sent(0), sent(1000), sent(1000, "sent again")):
        progress.take(event)
    stored = progress.take(acked(1000, "PERSISTED"))

    assert progress.sent == 2
    assert stored == PersistedFragment("number-1000", 1.0, 1.0)
