"""`sightline demo`: from a face in a video to the alert about it."""

import json
import signal
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.program import Program


def test_the_demo_alerts_about_the_enrolled_person_only_and_leaves_nothing_but_the_evidence(
    program: Program, tmp_path: Path
) -> None:
    done = program.run("demo", "--json", "--keep", str(tmp_path / "kept"))

    assert done.code == 0, done.err
    assert done.err == ""
    states = [event["state"] for event in done.of("device")]
    assert states[0] == "provisioning"
    assert "running" in states
    assert len(done.of("fragment")) >= 14
    alert = done.of("alert")[0]
    assert [event["alert"]["person"]["name"] for event in done.of("alert")] == ["Eileen Collins"]
    assert 6.0 <= alert["video_seconds"] <= 9.0
    # How fast it is on a machine at rest is for `make bench` to tell; this one may be busy.
    assert 0 < alert["frame_to_alert_ms"] < 30_000
    summary = done.events[-1]
    assert summary["event"] == "summary"
    assert (summary["alerts"], summary["people"], summary["ok"]) == (1, ["Eileen Collins"], True)
    evidence = done.of("evidence")[0]
    with Image.open(evidence["frame"]) as frame, Image.open(evidence["unboxed_frame"]) as unboxed:
        assert frame.format == unboxed.format == "JPEG"
        assert frame.size == unboxed.size == (640, 360)
    assert Path(evidence["frame"]).read_bytes() != Path(evidence["unboxed_frame"]).read_bytes()
    assert Path(evidence["frame"]).parent == tmp_path / "kept" / "evidence"
    assert json.loads(Path(evidence["alert"]).read_text()) == alert["alert"]
    assert (tmp_path / "kept" / "face-records.jsonl").read_text().count("\n") > 14
    assert program.left_behind() == []


@pytest.mark.parametrize(
    ("person", "clip", "photo"),
    [
        ("P1", "asl/no.mkv", "asl_p1.png"),
        ("P2", "asl/sorry.mkv", "asl_p2.png"),
        ("P3", "asl/walk.mkv", "asl_p3.png"),
    ],
)
def test_a_real_video_alerts_about_the_right_person(
    person: str, clip: str, photo: str, program: Program, media: Path
) -> None:
    others = [f"Other{number}={media}/derived/enrol/asl_p{number}.png" for number in (4, 5)]
    people = [f"{person}={media}/derived/enrol/{photo}", *others]

    options = [option for each in people for option in ("--person", each)]
    done = program.run("demo", "--json", "--video", str(media / clip), *options)

    assert done.code == 0, done.err
    assert [event["alert"]["person"]["name"] for event in done.of("alert")] == [person]
    assert 0.0 <= done.of("alert")[0]["video_seconds"] <= 3.0


def test_every_visitor_of_a_real_stream_is_told_from_the_strangers(program: Program, media: Path) -> None:
    people = [f"P{number}={media}/derived/enrol/asl_p{number}.png" for number in (1, 2, 3)]

    options = [option for each in people for option in ("--person", each)]
    video = str(media / "derived" / "asl_watchlist_stream.mkv")
    done = program.run("demo", "--json", "--video", video, *options)

    assert done.code == 0, done.err
    first = {event["alert"]["person"]["name"]: event["video_seconds"] for event in reversed(done.of("alert"))}
    assert first.keys() == {"P1", "P2", "P3"}
    assert 1.6 <= first["P1"] <= 3.53
    assert 3.53 <= first["P2"] <= 5.27
    assert 6.93 <= first["P3"] <= 9.0


def test_with_only_strangers_on_screen_there_is_no_alert_and_the_exit_code_is_3(
    program: Program, media: Path
) -> None:
    person = f"P5={media}/derived/enrol/asl_p5.png"

    done = program.run("demo", "--json", "--video", str(media / "asl" / "walk.mkv"), "--person", person)

    assert done.err == "sightline: nobody enrolled was seen (P5)\n"
    assert done.code == 3
    assert done.of("alert") == []
    assert done.events[-1]["ok"] is False
    assert program.left_behind() == []


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["--person", "Ada"], "--person is NAME=PHOTO", 2),
        (["--person", "Ada=missing.jpg"], "missing.jpg: No such file or directory", 1),
        (["--video", "missing.mp4", "--person", "Ada=photo.jpg"], "missing.mp4: no such file", 1),
        (["--video", "photo.jpg"], "--video needs at least one --person", 2),
        (["--person", "Ada=photo.jpg"], "Ada cannot be enrolled", 1),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], told: str, code: int, program: Program) -> None:
    (program.folder / "photo.jpg").write_bytes(b"no picture at all")

    done = program.run("demo", "--json", *arguments)

    assert len(done.err.splitlines()) == 1
    assert told in done.err
    assert done.code == code
    assert program.left_behind() == []


@pytest.mark.parametrize("moment", ["provisioning", "running", "fragment"])
def test_ctrl_c_leaves_nothing_behind(moment: str, program: Program) -> None:
    child = program.start("demo", "--json")
    assert child.stdout is not None
    for line in child.stdout:
        event = json.loads(line)
        if moment in {event["event"], event.get("state")}:
            break

    done = program.interrupt(child)

    assert done.code in {130, -signal.SIGINT}
    assert "Traceback" not in done.err
    assert done.seconds < 15
    assert program.left_behind() == []
