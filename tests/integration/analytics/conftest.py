"""A stack with the real template, whose Firehose has written a lake of known sightings."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sightline_cli.interrupts import Interrupt
from sightline_cli.query.lake import Answer, ask, fetch, open_lake
from sightline_cli.query.statement import as_duckdb
from sightline_cli.stack import Stack, Target
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.integration.analytics.sightings import known_rows

BUFFER = timedelta(seconds=300)  # LakeBufferSeconds, unless told otherwise
DAY_OF_THE_QUESTION = "2026-11-22"
NO_SIGHTINGS = (
    b"this is no JSON",
    b'{"seen_at": "2026-11-22T10:00:00.000Z", "person_name": "nobody\'s row"}',
    json.dumps(next(known_rows()) | {"seen_at": None}).encode(),
    json.dumps(next(known_rows()) | {"sighting_id": ""}).encode(),
    json.dumps(next(known_rows()) | {"device_id": 7}).encode(),
    json.dumps(next(known_rows()) | {"similarity": "very"}).encode(),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """The running stack, and what was put into its sightings stream."""

    runtime: Runtime
    stack: Stack
    rows: list[Row]
    keys: list[str]
    database: duckdb.DuckDBPyConnection

    def ask(self, sql: str) -> Answer:
        """As of DAY_OF_THE_QUESTION, whatever day the test runs on."""
        return ask(
            self.database,
            as_duckdb(sql.replace("current_date", f"DATE '{DAY_OF_THE_QUESTION}'")),
            Interrupt(),
        )

    def content(self, key: str) -> bytes:
        found = self.stack.client("s3").get_object(Bucket=self.stack.output("LakeBucketName"), Key=key)
        return bytes(found["Body"].read())


def keys_of(stack: Stack) -> list[str]:
    found = stack.client("s3").list_objects_v2(Bucket=stack.output("LakeBucketName")).get("Contents", [])
    return sorted(each["Key"] for each in found)


def fill(stack: Stack, clock: Clock, is_full: Callable[[list[str]], bool]) -> list[str]:
    """Let the buffers' time pass until the lake is as it must be; give the keys of its objects."""
    deadline = time.monotonic() + 60
    while not is_full(keys := keys_of(stack)):
        assert time.monotonic() < deadline, f"the lake has only {keys}"
        clock.advance(BUFFER)
        time.sleep(0.3)
    return keys


def put(stack: Stack, payloads: list[bytes]) -> None:
    for start in range(0, len(payloads), 500):
        records = [{"Data": each, "PartitionKey": "gate-3"} for each in payloads[start : start + 500]]
        answer = stack.client("kinesis").put_records(
            StreamName=stack.output("SightingsStreamName"), Records=records
        )
        assert answer["FailedRecordCount"] == 0


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def stack(repository: Path, clock: Clock) -> Iterator[tuple[Runtime, Stack]]:
    options = RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        yield runtime, Stack(Target(runtime.aws_url, "us-east-1"))


@pytest.fixture(scope="module")
def lake(
    stack: tuple[Runtime, Stack], clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lake]:
    runtime, at = stack
    rows = list(known_rows())
    payloads = [json.dumps(row).encode() for row in rows]
    middle = len(payloads) // 2
    put(at, [*payloads[:middle], *NO_SIGHTINGS, *payloads[middle:]])
    folders = {(row["seen_at"][:10], row["site"] or "none") for row in rows}

    def is_full(keys: list[str]) -> bool:
        errors = {key.split("/")[1] for key in keys if key.startswith("errors/")}
        data = {key.rpartition("/")[0] for key in keys if key.startswith("sightings/")}
        return len(errors) == 2 and len(data) == len(folders)

    keys = fill(at, clock, is_full)
    folder = tmp_path_factory.mktemp("lake")
    fetch(at, folder, lambda: None)
    with open_lake(folder) as database:
        yield Lake(runtime, at, rows, keys, database)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
