"""Kinesis events through the door of index_sightings, on moto."""

import base64
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.builders import a_lambda_context
from tests.fakes.tables import create_sightings_table

Event = Callable[[str], dict[str, Any]]
Invoke = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    for name, value in {
        "SIGHTINGS_TABLE": "sightings",
        "SIGHTINGS_DAYS": "30",
        "PARKED_RECORDS_BUCKET": "parked",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb, s3 = (
            boto3.client(name, region_name="us-east-1")  # type: ignore[call-overload]
            for name in ("dynamodb", "s3")
        )
        create_sightings_table(dynamodb)
        s3.create_bucket(Bucket="parked")
        yield {"dynamodb": dynamodb, "s3": s3}


@pytest.fixture
def invoke(aws: dict[str, Any]) -> Iterator[Invoke]:
    del aws
    handler = importlib.import_module("functions.index_sightings.handler")
    handler.index.cache_clear()
    yield lambda event: handler.lambda_handler(event, a_lambda_context("index_sightings"))
    handler.index.cache_clear()


def items(aws: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws["dynamodb"].scan(TableName="sightings")["Items"]
    return sorted(found, key=lambda item: item["moment_key"]["S"])


def parked(aws: dict[str, Any]) -> dict[str, dict[str, Any]]:
    keys = [each["Key"] for each in aws["s3"].list_objects_v2(Bucket="parked").get("Contents", [])]
    return {key: json.loads(aws["s3"].get_object(Bucket="parked", Key=key)["Body"].read()) for key in keys}


def test_rows_are_kept_as_they_came_and_forgotten_after_the_days_of_the_stack(
    aws: dict[str, Any], invoke: Invoke, event: Event
) -> None:
    sent = event("index_sightings/three_rows")

    answer = invoke(sent)

    assert answer == {"batchItemFailures": []}
    rows = [json.loads(base64.b64decode(each["kinesis"]["data"])) for each in sent["Records"]]
    assert [json.loads(item["row"]["S"]) for item in items(aws)] == rows
    assert items(aws)[0]["expires"]["N"] == str(1795352527 + 30 * 86_400)


def test_a_record_that_is_no_row_is_parked_with_its_payload_and_the_others_are_kept(
    aws: dict[str, Any], invoke: Invoke, event: Event
) -> None:
    sent = event("index_sightings/one_of_three_is_no_row")

    answer = invoke(sent)

    assert answer == {"batchItemFailures": []}
    assert len(items(aws)) == 2
    number = sent["Records"][1]["kinesis"]["sequenceNumber"]
    record = parked(aws)[f"parked/sightline-SightingsStream/{number}.json"]
    assert base64.b64decode(record["payload"]) == b"\x00\xff this is no JSON"


def test_the_same_batch_twice_changes_nothing(aws: dict[str, Any], invoke: Invoke, event: Event) -> None:
    invoke(event("index_sightings/three_rows"))
    before = items(aws)

    assert invoke(event("index_sightings/three_rows")) == {"batchItemFailures": []}
    assert invoke(event("index_sightings/the_same_row_twice")) == {"batchItemFailures": []}

    assert items(aws) == before


def test_a_table_that_is_gone_makes_the_batch_come_again(
    aws: dict[str, Any], invoke: Invoke, event: Event
) -> None:
    sent = event("index_sightings/three_rows")
    aws["dynamodb"].delete_table(TableName="sightings")

    answer = invoke(sent)

    first = sent["Records"][0]["kinesis"]["sequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_a_bucket_that_is_gone_makes_only_the_bad_record_and_what_follows_come_again(
    aws: dict[str, Any], invoke: Invoke, event: Event
) -> None:
    sent = event("index_sightings/one_of_three_is_no_row")
    aws["s3"].delete_bucket(Bucket="parked")

    answer = invoke(sent)

    second = sent["Records"][1]["kinesis"]["sequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": second}]}
    assert len(items(aws)) == 2
