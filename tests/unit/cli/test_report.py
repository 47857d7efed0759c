"""What a demo says: to programs and to people."""

import io
import json
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from sightline_cli.demo.alerts import read_notification
from sightline_cli.demo.report import JsonReport, Outcome, Step
from sightline_cli.demo.story import StoryReport


def an_alert() -> dict[str, Any]:
    return {
        "alert_id": "al-1",
        "device": {"id": "demo", "name": "Entrance [north]", "site": "Demo", "location": None},
        "person": {"id": "p1", "name": "Ada Lovelace"},
        "similarity": 97.25,
        "seen_at": "2026-11-22T14:02:07.250Z",
    }


def a_notification() -> str:
    subject = "Ada Lovelace (block list) seen at Gate 3, 14:02:07"
    return json.dumps({"Type": "Notification", "Subject": subject, "Message": json.dumps(an_alert())})


def test_an_alert_is_taken_out_of_its_envelope_and_timed() -> None:
    received = read_notification(a_notification(), datetime(2026, 11, 22, 14, 2, 8, tzinfo=UTC))

    assert received.alert == an_alert()
    assert received.subject.startswith("Ada Lovelace")
    assert received.frame_to_alert_ms == 750


def test_json_is_one_object_a_line_and_ends_with_the_summary() -> None:
    out = io.StringIO()
    report = JsonReport(out)

    report.stage("starting")
    report.event("alert", alert=an_alert(), video_seconds=6.25, frame_to_alert_ms=750)
    report.done(Step("stack", "runs", "1 s"))
    report.summary(Outcome(alerts=1, people=["Ada Lovelace"], seconds=31.23456))

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["alert", "summary"]
    assert lines[1] == {
        "event": "summary",
        "alerts": 1,
        "people": ["Ada Lovelace"],
        "seconds": 31.235,
        "ok": True,
    }


def tell(report: StoryReport, outcome: Outcome) -> None:
    with report:
        report.stage("streaming")
        report.event("device", device_id="demo", state="failed", state_reason="no [role]")
        report.event("alert", alert=an_alert(), video_seconds=6.25, frame_to_alert_ms=750)
        report.event("evidence", alert_id="al-1", frame="build/demo/evidence/al-1.jpg")
        report.summary(outcome)


def test_a_story_without_a_terminal_has_no_colours_and_no_moving_line() -> None:
    out = io.StringIO()

    outcome = Outcome([Step("stack", "runs", "1 s")], 1, ["Ada Lovelace"])

    tell(StoryReport(Console(file=out, width=100)), outcome)

    told = out.getvalue()
    assert "\x1b" not in told
    assert "\r" not in told
    assert "device demo is failed: no [role]" in told
    assert "Ada Lovelace, similarity 97.2 at Entrance [north]" in told
    assert "6.2 s into the video, alert 750 ms after the frame" in told
    assert "build/demo/evidence/al-1.jpg" in told
    assert "ok: 1 alert about Ada Lovelace" in told


def test_a_story_without_an_alert_does_not_end_with_ok() -> None:
    out = io.StringIO()

    tell(StoryReport(Console(file=out, width=100)), Outcome())

    assert "ok:" not in out.getvalue()
