"""`--iam-report [FILE]`: with and without its file, as lines and as JSON."""

import json
from pathlib import Path

import pytest

from sightline_cli.iam_report import TERMINAL, check_writable, tell, with_its_file
from sightline_local.iam.report import Denied, IamReport, OwnerUse, StatementUse

WORKER = "arn:aws:iam::123456789012:role/worker"
IDLE = StatementUse("own", 0, "Tell", "Allow", False, ("sqs:SendMessage",), ("*",))
REPORT = IamReport(
    (OwnerUse(WORKER, (IDLE,)),),
    (),
    (Denied(WORKER, "sns:Publish", "arn:t", "because no identity-based policy allows it", 2),),
)
LINES = [
    WORKER,
    "  never used: own, Tell (Allow sqs:SendMessage)",
    "  denied 2 times: sns:Publish on arn:t because no identity-based policy allows it",
]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["up"], ["up"]),
        (["up", "--iam-report"], ["up", "--iam-report", "-"]),
        (["up", "--iam-report", "--json"], ["up", "--iam-report", "-", "--json"]),
        (["up", "--iam-report", "-"], ["up", "--iam-report", "-"]),
        (["up", "--iam-report", "r.txt", "--json"], ["up", "--iam-report", "r.txt", "--json"]),
        (["up", "--iam-report=r.txt"], ["up", "--iam-report=r.txt"]),
    ],
)
def test_the_file_may_be_left_out(given: list[str], read: list[str]) -> None:
    assert with_its_file(given) == read


def test_the_terminal_gets_lines(capsys: pytest.CaptureFixture[str]) -> None:
    tell(REPORT, TERMINAL, as_json=False)

    assert capsys.readouterr().out.strip().splitlines() == LINES


def test_with_json_it_is_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    tell(REPORT, TERMINAL, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert told["event"] == "iam_report"
    assert told["roles"][0]["statements"][0]["unused_actions"] == ["sqs:SendMessage"]
    assert told["denied"][0]["times"] == 2


def test_a_file_gets_the_same(tmp_path: Path) -> None:
    file = tmp_path / "report"

    tell(REPORT, file, as_json=False)
    assert file.read_text().splitlines() == LINES
    tell(REPORT, file, as_json=True)
    assert json.loads(file.read_text())["roles"][0]["arn"] == WORKER


def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        check_writable(tmp_path / "missing" / "report")
    check_writable(tmp_path / "report")
    check_writable(TERMINAL)
    assert [each.name for each in tmp_path.iterdir()] == ["report"]
