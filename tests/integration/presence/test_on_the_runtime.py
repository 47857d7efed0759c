"""The template's tables, queue, role and route, and two workers that write about the same people at once."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sightline.clock import utc_now
from sightline.deliveries import Delivery
from sightline.presence.dynamo import DynamoPresences
from sightline.presence.service import PresenceRecorder
from sightline.presence.sqs import SqsSetAside
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.builders import a_sighting_row
from tests.fakes.presence import FakePresences, FakeSetAside

REGION = "us-east-1"
PEOPLE, VISITS = 5, 6


@pytest.fixture(scope="module")
def runtime(repository: Path) -> Iterator[Runtime]:
    options = RuntimeOptions(
        template=repository / "template.yaml",
        parameters={"Presence": "true", "Lake": "false", "PresenceDays": "3650"},
        api_port=0,
        aws_port=0,
    )
    with Runtime(options) as running:
        yield running


def client(runtime: Runtime, service: str) -> Any:
    """With what ECS would lend to the worker."""
    lent = runtime.lend(runtime.outputs["PresenceWorkerRoleArn"], "ecs-tasks.amazonaws.com")
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=runtime.aws_url,
        region_name=REGION,
        aws_access_key_id=lent.access_key,
        aws_secret_access_key=lent.secret_key,
        aws_session_token=lent.session_token,
    )


def a_worker(runtime: Runtime) -> PresenceRecorder:
    table = DynamoPresences(
        client(runtime, "dynamodb"), runtime.outputs["PresenceTableName"], timedelta(days=3650)
    )
    failures = SqsSetAside(client(runtime, "sqs"), runtime.outputs["PresenceFailuresQueueUrl"])
    return PresenceRecorder(table, failures, "sightings", utc_now)


def some_rows() -> list[dict[str, Any]]:
    return [
        a_sighting_row(
            visit * 60 + second,
            person_id=f"person-{person}",
            visit_id=f"vi-{person}-{visit}",
            device_id=f"gate-{visit % 3}",
            site=("north", "south", None)[visit % 3],
        )
        for person in range(PEOPLE)
        for visit in range(VISITS)
        for second in range(10)
    ]


def in_batches(rows: list[dict[str, Any]], seed: int) -> list[list[Delivery]]:
    mixed = random.Random(seed).sample(rows, len(rows))
    deliveries = [Delivery(str(n), json.dumps(row).encode()) for n, row in enumerate(mixed)]
    return [deliveries[begin : begin + 20] for begin in range(0, len(deliveries), 20)]


def test_two_workers_that_both_get_everything_in_disorder_leave_what_one_in_order_leaves(
    runtime: Runtime,
) -> None:
    rows = some_rows()
    expected = FakePresences()
    in_order = [Delivery("sn", json.dumps(row).encode()) for row in rows]
    PresenceRecorder(expected, FakeSetAside(), "sightings", utc_now).record_presence(in_order)

    def work(seed: int) -> None:
        worker = a_worker(runtime)
        for batch in in_batches(rows, seed):
            worker.record_presence(batch)

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, (1, 2)))

    names = [f"person-{n}" for n in range(PEOPLE)]
    kept = a_worker(runtime).presences.read(names)
    assert {name: kept[name].presence for name in names} == {name: expected.one(name) for name in names}
    told = api_of(Stack(Target(runtime.aws_url, REGION))).get("/presence")["items"]
    assert {each["person_id"]: each["visit_id"] for each in told} == {
        f"person-{n}": f"vi-{n}-{VISITS - 1}" for n in range(PEOPLE)
    }


def test_what_is_no_row_lies_in_the_queue_of_the_stack(runtime: Runtime) -> None:
    a_worker(runtime).record_presence([Delivery("sn-7", b"this is no row")])

    sqs = Stack(Target(runtime.aws_url, REGION)).client("sqs")
    (message,) = sqs.receive_message(QueueUrl=runtime.outputs["PresenceFailuresQueueUrl"])["Messages"]
    assert json.loads(message["Body"])["sequence_number"] == "sn-7"


@pytest.mark.parametrize(
    ("service", "call", "parameters"),
    [
        ("dynamodb", "delete_item", {"Key": {"person_id": {"S": "ada"}}}),
        ("dynamodb", "scan", {}),
        ("dynamodb", "update_table", {"BillingMode": "PAY_PER_REQUEST"}),
    ],
)
def test_the_worker_may_do_nothing_else_with_the_table(
    runtime: Runtime, service: str, call: str, parameters: dict[str, Any]
) -> None:
    denied = getattr(client(runtime, service), call)

    with pytest.raises(ClientError, match="AccessDenied"):
        denied(TableName=runtime.outputs["PresenceTableName"], **parameters)
