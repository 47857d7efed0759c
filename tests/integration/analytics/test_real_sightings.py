"""From a face record to a row of the lake that `sightline query` shows: everything in between is real."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.face_record import face_record
from benchmarks.world import enrol, face_id_of, register
from sightline_cli.app import main
from sightline_cli.replay import face_stream_writer
from sightline_cli.stack import Stack
from sightline_cli.tokens import api_of
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime
from tests.integration.analytics.conftest import fill

FRAMES = 12


@pytest.fixture(scope="module")
def port(stack: tuple[Runtime, Stack]) -> str:
    return stack[0].aws_url.rpartition(":")[2]


def the_line_of(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err
    return said.err


def test_a_lake_without_files_says_when_there_will_be_some(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["query", "SELECT count(*) FROM sightings", "--aws-port", port])

    assert "nothing is in the lake yet" in the_line_of(capsys)
    assert code == 1


@pytest.fixture(scope="module")
def sightings(stack: tuple[Runtime, Stack], clock: Clock) -> list[dict[str, Any]]:
    """What the API says was seen at a device, once it is in the lake, too."""
    at, people = stack[1], ["ada", "grace"]
    api = api_of(at)
    device = register(api, "gate-3")
    enrol(at, people)
    now = time.time()
    put = face_stream_writer(at.client("kinesis"), device["face_stream_arn"], "gate-3")
    records = [
        face_record(
            device["video_stream_arn"],
            frame * 0.2,
            producer_seconds=now,
            face_id=face_id_of(person),
            person_id=person,
        )
        for frame in range(FRAMES)
        for person in people
    ]
    assert all(put(records))
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 30
    while len(found) < len(people) * FRAMES:
        assert time.monotonic() < deadline, f"only {len(found)} sightings came"
        found = api.get("/sightings?device_id=gate-3&limit=100")["items"]
    fill(at, clock, bool)
    return found


def test_query_shows_the_sightings_that_the_api_shows(
    sightings: list[dict[str, Any]], port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["query", "SELECT * FROM sightings", "--json", "--aws-port", port])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    by_id = {row["sighting_id"]: row for row in rows}
    assert set(by_id) == {each["sighting_id"] for each in sightings}
    for each in sightings:
        assert each.items() <= (by_id[each["sighting_id"]] | {"dt": each["seen_at"][:10]}).items()


def test_query_shows_a_table(
    sightings: list[dict[str, Any]], port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT person_id, count(*) AS sightings FROM sightings GROUP BY 1 ORDER BY 1"
    code = main(["query", sql, "--aws-port", port])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert len(sightings) == 2 * FRAMES
    assert lines[0] == ["person_id", "sightings"]
    assert lines[2:] == [["ada", "12"], ["grace", "12"], ["2", "rows"]]


def test_query_takes_a_saved_query_from_its_file(
    sightings: list[dict[str, Any]], port: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = repository / "analytics" / "athena" / "busiest_devices.sql"
    code = main(["query", "--file", str(file), "--json", "--aws-port", port])

    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert (row["device_id"], row["people"], row["sightings"]) == ("gate-3", 2, len(sightings))
    last = max(datetime.fromisoformat(each["seen_at"]).astimezone(UTC) for each in sightings)
    assert datetime.fromisoformat(row["last_seen_at"]) == last


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT colour FROM sightings", '"colour" not found'),
        ("SELECT * FROM visits", "visits does not exist"),
        ("SELECT count( FROM sightings", "(line 1, column"),
        ("SELECT * FROM read_text('/etc/hostname')", "Cannot access file"),
    ],
)
def test_wrong_sql_is_one_line(
    sql: str, told: str, sightings: list[dict[str, Any]], port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sightings

    code = main(["query", sql, "--aws-port", port])

    line = the_line_of(capsys)
    assert line.startswith("sightline: wrong SQL")
    assert told in line
    assert code == 1
