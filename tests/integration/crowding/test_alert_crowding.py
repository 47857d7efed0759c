"""Kinesis events through the door of alert_crowding, on moto."""

import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from tests.builders import a_device, a_lambda_context
from tests.fakes.tables import create_table

Event = Callable[[str], dict[str, Any]]
Invoke = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    with mock_aws():
        clients: dict[str, Any] = {
            name: boto3.client(name, region_name="us-east-1")  # type: ignore[call-overload]
            for name in ("dynamodb", "s3", "sns", "sqs")
        }
        create_table(clients["dynamodb"], "devices", ["device_id"])
        create_table(clients["dynamodb"], "crowds", ["device_id"])
        clients["s3"].create_bucket(Bucket="parked")
        topic = clients["sns"].create_topic(Name="alerts")["TopicArn"]
        queue = clients["sqs"].create_queue(QueueName="guards")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:guards"
        clients["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        for name, value in {
            "DEVICES_TABLE": "devices",
            "CROWDS_TABLE": "crowds",
            "ALERTS_TOPIC_ARN": topic,
            "PARKED_RECORDS_BUCKET": "parked",
        }.items():
            monkeypatch.setenv(name, value)
        yield clients | {"queue": queue}


@pytest.fixture
def invoke(aws: dict[str, Any]) -> Iterator[Invoke]:
    del aws
    handler = importlib.import_module("functions.alert_crowding.handler")
    handler.watch.cache_clear()
    yield lambda event: handler.lambda_handler(event, a_lambda_context("alert_crowding"))
    handler.watch.cache_clear()


def received(aws: dict[str, Any]) -> list[dict[str, Any]]:
    messages = aws["sqs"].receive_message(QueueUrl=aws["queue"], MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(each["Body"]) for each in messages]


def test_a_crowd_reaches_the_topic_once_and_a_bad_record_the_bucket(
    aws: dict[str, Any], invoke: Invoke, event: Event
) -> None:
    DynamoDeviceStore(aws["dynamodb"], "devices").add(a_device(people_limit=5))

    answers = [invoke(event("alert_crowding/three_counts")) for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    (message,) = received(aws)
    assert message["Subject"] == "Crowd at Gate 3: 7 people, limit 5, 14:02:00"
    assert message["MessageAttributes"]["kind"] == {"Type": "String", "Value": "crowding"}
    assert json.loads(message["Message"])["crowd"]["people_limit"] == 5
    keys = [each["Key"] for each in aws["s3"].list_objects_v2(Bucket="parked")["Contents"]]
    assert keys == [
        "parked/sightline-CrowdingStream/49590338271490256608559692538361571095921575989136588002.json"
    ]


def test_a_topic_that_is_gone_brings_the_batch_again(
    aws: dict[str, Any], invoke: Invoke, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    DynamoDeviceStore(aws["dynamodb"], "devices").add(a_device(people_limit=5))
    monkeypatch.setenv("ALERTS_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:gone")

    answer = invoke(event("alert_crowding/three_counts"))

    first = event("alert_crowding/three_counts")["Records"][0]["kinesis"]["sequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_an_empty_event_is_no_failure(invoke: Invoke) -> None:
    assert invoke({"Records": []}) == {"batchItemFailures": []}
