"""From sightings to the guard: the real job counts, the function alerts, the lake has what was found."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sightline.clock import to_iso
from sightline.devices.dynamo import DynamoDeviceStore
from sightline_cli.downstream.flink import FlinkJob, environment, properties
from sightline_cli.interrupts import Interrupt
from sightline_cli.query.lake import ask, fetch, fetch_results, open_lake
from sightline_cli.stack import Stack, Target
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.builders import a_device, a_sighting_row
from tests.integration.streaming.conftest import until
from tests.integration.streaming.test_crowding_alerts import Subscriber

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMIT = 3
# People at the gate in each minute: two crowds, with a minute at the limit between them.
PEOPLE = (2, 5, 4, 3, 6, 0, 1)


@pytest.fixture(scope="module")
def runtime(repository: Path, flink_home: None) -> Iterator[tuple[Runtime, Clock]]:
    del flink_home
    clock, parameters = Clock(), {"StreamingSql": "true"}
    template = repository / "template.yaml"
    options = RuntimeOptions(template=template, api_port=0, aws_port=0, parameters=parameters, clock=clock)
    with Runtime(options) as runtime:
        yield runtime, clock


def rows() -> list[dict[str, Any]]:
    """Each person twice in a minute; the second time for the second time, too."""
    found = []
    for minute, people in enumerate(PEOPLE):
        for second in (10, 20):
            for number in range(people):
                seen_at = to_iso(NOON + timedelta(minutes=minute, seconds=second, milliseconds=number))
                row = a_sighting_row(person_id=f"p{number}", device_id="gate-3")
                found.append(row | {"sighting_id": f"si-{minute}-{second}-{number}", "seen_at": seen_at})
    return [*found, found[-1]]


def put(stack: Stack, found: list[dict[str, Any]]) -> None:
    records = [{"Data": json.dumps(row).encode(), "PartitionKey": row["device_id"]} for row in found]
    answer = stack.client("kinesis").put_records(
        StreamName=stack.output("SightingsStreamName"), Records=records
    )
    assert answer["FailedRecordCount"] == 0


def watch(stack: Stack) -> None:
    """The device as the API would keep it; its camera does not matter here."""
    store = DynamoDeviceStore(stack.client("dynamodb"), stack.output("DevicesTableName"))
    assert store.add(a_device(people_limit=LIMIT))


def test_a_crowd_that_the_job_counts_reaches_the_guard_once_and_the_lake_has_the_minutes(
    runtime: tuple[Runtime, Clock], tmp_path: Path
) -> None:
    running, clock = runtime
    stack = Stack(Target(running.aws_url, "us-east-1"))
    watch(stack)
    guard = Subscriber(stack)
    sent = rows()
    put(stack, sent)

    with FlinkJob(properties(running), environment(running), tmp_path) as job:
        job.wait_running()
        job.wait_read(len(sent), 60)
        job.drain()
    alerts: list[dict[str, Any]] = []

    def both_crowds_are_told() -> bool:
        alerts.extend(guard.alerts())
        return len(alerts) >= 2

    until(both_crowds_are_told)
    assert sorted((each["seen_at"], each["crowd"]["people"]) for each in alerts) == [
        ("2026-11-22T12:01:00.000Z", 5),
        ("2026-11-22T12:04:00.000Z", 6),
    ]

    lake = tmp_path / "lake"
    lake.mkdir()

    def delivered() -> bool:
        clock.advance(timedelta(minutes=5))
        files = fetch(stack, lake, lambda: None), fetch_results(stack, lake, lambda: None)
        return files[0] >= 1 and files[1] >= 2

    until(delivered)
    with open_lake(lake) as database:
        minutes = "SELECT DISTINCT window_start, people, sightings FROM streaming_results"
        answer = ask(database, f"{minutes} WHERE query = 'people_per_minute' ORDER BY 1", Interrupt())
    assert [(people, sightings) for _, people, sightings in answer.rows] == [
        (people, people * 2) for people in PEOPLE if people
    ]
    assert guard.alerts() == []
