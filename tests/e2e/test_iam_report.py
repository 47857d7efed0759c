"""`sightline up --iam-report FILE`: what the policies allowed and nobody needed, in a file when it ends."""

import json
from pathlib import Path

from tests.e2e.program import Program


def test_the_report_is_written_when_the_stack_ends(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    child = program.start("up", "--port", "0", "--aws-port", "0", "--iam-report", str(file), "--json")
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["event"] == "ready"

    done = program.interrupt(child)

    assert (done.code, done.err) == (130, "")
    (camera,) = (role for role in json.loads(file.read_text())["roles"] if role["arn"].endswith("-camera"))
    video = next(each for each in camera["statements"] if each["policy"] == "stream-video")
    assert not video["used"]
    assert "kinesisvideo:PutMedia" in video["unused_actions"]


def test_a_report_that_cannot_be_written_is_one_line_at_once(program: Program) -> None:
    done = program.run("up", "--port", "0", "--aws-port", "0", "--iam-report", "no/such/folder/report")

    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "no/such/folder/report" in done.err
