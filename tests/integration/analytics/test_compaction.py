"""Compaction of the lake: a day of many files becomes one of few, and no reader ever misses a sighting."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sightline_cli.stack import Stack, Target
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.builders import a_sighting_row

FILES, ROWS_PER_FILE, REPEATED = 60, 10, 3
COLUMNS = list(a_sighting_row())
MOMENTS = ("seen_at", "server_timestamp", "producer_timestamp", "recorded_at")
Rows = set[tuple[Any, ...]]


class Lake:
    """The lake of a running stack, filled by hand: Firehose's part is tested elsewhere."""

    def __init__(self, stack: Stack, clock: Clock, folder: Path) -> None:
        self.stack, self.clock, self.folder = stack, clock, folder
        self.bucket = stack.output("LakeBucketName")
        self.machine = stack.output("LakeCompactionArn")
        self.s3, self.states = stack.client("s3"), stack.client("stepfunctions")

    def clear(self) -> None:
        for key in self.keys(""):
            self.s3.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str = "sightings/") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def put(self, day: str, name: str, numbers: range) -> str:
        """A file of sightings with these numbers."""
        rows = ", ".join(f"({number})" for number in numbers)
        begin = f"TIMESTAMP '{day} 10:00:00'"
        values = {
            "sighting_id": "'si-' || n",
            "site": "CASE WHEN n % 2 = 0 THEN 'north' END",
            **dict.fromkeys(MOMENTS, f"{begin} + n * INTERVAL 250 MILLISECOND"),
            "schema_version": "1::INTEGER",
        }
        sample = a_sighting_row()
        columns = ", ".join(f"{values.get(name) or _literal(sample[name])} AS {name}" for name in COLUMNS)
        file = self.folder / "file.parquet"
        duckdb.execute(f"COPY (SELECT {columns} FROM (VALUES {rows}) AS t (n)) TO '{file}' (FORMAT parquet)")
        key = f"sightings/dt={day}/site=x/{name}.parquet"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=file.read_bytes())
        return key

    def fill(self, day: str, files: int = FILES) -> list[str]:
        """Files whose last rows come again in the next one."""
        return [
            self.put(day, f"{n:03}", range(n * ROWS_PER_FILE, (n + 1) * ROWS_PER_FILE + REPEATED))
            for n in range(files)
        ]

    def ask(self, sql: str, *parameters: str) -> list[list[str | None]]:
        """Through Athena, without the names of the columns; again when a file goes while it is read."""
        while True:
            found = self.query(sql, *parameters)
            if "HIVE_CANNOT_OPEN_SPLIT" not in found["Status"].get("StateChangeReason", ""):
                break
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]
        athena = self.stack.client("athena")
        rows = athena.get_query_results(QueryExecutionId=found["QueryExecutionId"])["ResultSet"]["Rows"]
        return [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows[1:]]

    def query(self, sql: str, *parameters: str) -> dict[str, Any]:
        athena = self.stack.client("athena")
        query = athena.start_query_execution(
            QueryString=sql,
            WorkGroup="sightline-lake",
            QueryExecutionContext={"Database": self.stack.output("LakeDatabaseName")},
            **({"ExecutionParameters": list(parameters)} if parameters else {}),
        )["QueryExecutionId"]
        while True:
            found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return found
            time.sleep(0.05)

    def rows(self, day: str) -> Rows:
        """Every distinct row of the day, as they lie in the bucket; read again when a file goes meanwhile."""
        while True:
            try:
                return set().union(*map(self.read, self.keys(f"sightings/dt={day}/")))
            except self.s3.exceptions.NoSuchKey:
                continue

    def read(self, key: str) -> Rows:
        file = self.folder / "read.parquet"
        file.write_bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return set(duckdb.execute(f"SELECT {', '.join(COLUMNS)} FROM '{file}'").fetchall())

    def count(self, day: str) -> list[str | None]:
        sql = "SELECT count(*), count(DISTINCT sighting_id) FROM sightings WHERE dt = ?"
        return self.ask(sql, f"'{day}'")[0]

    def compact(self, given: Any, *, status: str = "SUCCEEDED") -> dict[str, Any]:
        started = self.states.start_execution(stateMachineArn=self.machine, input=json.dumps(given))
        return self.ended(started["executionArn"], status)

    def ended(self, execution: str, status: str = "SUCCEEDED") -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while (found := self.states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert found["status"] == status, found
        return dict(found)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL::VARCHAR"
    return f"'{value}'" if isinstance(value, str) else f"{value}::DOUBLE"


@pytest.fixture(scope="module")
def running(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    clock = Clock()
    options = RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, "us-east-1"))
        yield Lake(stack, clock, tmp_path_factory.mktemp("lake"))


@pytest.fixture
def lake(running: Lake) -> Lake:
    running.clear()
    return running


@pytest.fixture
def days() -> Callable[[int], str]:
    """`days(1)`: yesterday."""
    today = datetime.now(UTC).date()
    return lambda back: (today - timedelta(days=back)).isoformat()


def test_a_day_of_many_files_becomes_one_with_each_sighting_once(
    lake: Lake, days: Callable[[int], str]
) -> None:
    day = days(1)
    lake.fill(day)
    before = lake.rows(day)
    assert lake.count(day) == [str(FILES * (ROWS_PER_FILE + REPEATED)), str(len(before))]

    found = json.loads(lake.compact({})["output"])

    assert found == [{"day": day, "written": 1, "removed": FILES}]
    assert len(lake.keys()) == 1
    assert lake.rows(day) == before
    assert lake.count(day) == [str(len(before))] * 2


def test_days_with_few_files_old_days_and_today_stay_as_they_are(
    lake: Lake, days: Callable[[int], str]
) -> None:
    lake.fill(days(1), files=48)
    lake.fill(days(8))
    lake.fill(days(0))
    before = lake.keys()

    assert json.loads(lake.compact({})["output"]) == []
    assert lake.keys() == before


def test_a_day_whose_cameras_were_late_is_done_again(lake: Lake, days: Callable[[int], str]) -> None:
    day = days(7)
    lake.fill(day)
    lake.compact({})
    for number in range(48):
        lake.put(day, f"late-{number}", range(10_000 + number, 10_002 + number))
    before = lake.rows(day)

    assert json.loads(lake.compact({})["output"]) == [{"day": day, "written": 1, "removed": 49}]
    assert lake.rows(day) == before


def test_a_day_that_is_asked_for_is_done_and_one_file_is_nothing_to_do(
    lake: Lake, days: Callable[[int], str]
) -> None:
    day = days(30)
    lake.fill(day, files=2)

    assert [each["removed"] for each in json.loads(lake.compact({"days": [day]})["output"])] == [2]
    before = lake.keys()
    assert json.loads(lake.compact({"days": [day]})["output"]) == []
    assert lake.keys() == before


def test_a_run_that_ended_anywhere_left_no_gap_and_the_next_one_does_the_day(
    lake: Lake, days: Callable[[int], str]
) -> None:
    day = days(1)
    lake.fill(day)
    before = lake.rows(day)

    for seconds in (0.2, 0.5, 0.8, 1.1, 1.4):
        started = lake.states.start_execution(stateMachineArn=lake.machine, input=json.dumps({"days": [day]}))
        time.sleep(seconds)
        lake.states.stop_execution(executionArn=started["executionArn"])
        assert lake.rows(day) == before, seconds
    lake.fill(day)
    lake.compact({"days": [day]})

    assert lake.rows(day) == before
    assert lake.count(day) == [str(len(before))] * 2


def test_two_runs_at_once_and_a_file_that_comes_meanwhile_lose_nothing(
    lake: Lake, days: Callable[[int], str]
) -> None:
    """One of them may fail, when the other one removes what it reads."""
    day = days(1)
    lake.fill(day)
    runs = [
        lake.states.start_execution(stateMachineArn=lake.machine, input=json.dumps({"days": [day]}))
        for _ in range(2)
    ]
    lake.put(day, "meanwhile", range(50_000, 50_010))
    expected = FILES * ROWS_PER_FILE + REPEATED + 10
    for each in runs:
        while lake.states.describe_execution(executionArn=each["executionArn"])["status"] == "RUNNING":
            assert lake.count(day)[1] == str(expected)

    assert len(lake.rows(day)) == expected


def test_nothing_is_removed_when_the_new_file_lacks_a_sighting(
    lake: Lake, days: Callable[[int], str]
) -> None:
    """A sighting without an id is one that the check cannot find among the new ones."""
    day, other = days(2), days(1)
    for each in (day, other):
        lake.fill(each)
    file = lake.folder / "strange.parquet"
    duckdb.execute(f"COPY (SELECT NULL::VARCHAR AS sighting_id, 'x' AS device_id) TO '{file}'")
    lake.s3.put_object(Bucket=lake.bucket, Key=f"sightings/dt={day}/strange", Body=file.read_bytes())
    before = set(lake.keys(f"sightings/dt={day}/"))

    ended = lake.compact({}, status="FAILED")

    assert ended["error"] == "NotCompacted"
    assert ended["cause"].startswith(f"{day}: ConflictError")
    assert "sightings that were not written anew" in ended["cause"]
    assert before < set(lake.keys(f"sightings/dt={day}/"))
    assert len(lake.keys(f"sightings/dt={other}/")) == 1


def test_every_night_the_lake_is_compacted(lake: Lake, days: Callable[[int], str]) -> None:
    lake.fill(days(1))
    before = lake.rows(days(1))

    lake.clock.advance(timedelta(days=1))  # functions keep real time, so yesterday is yesterday

    deadline = time.monotonic() + 120
    while len(lake.keys()) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert lake.rows(days(1)) == before
