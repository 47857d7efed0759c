"""The consumer on moto: real tables, streams, topic (read through a queue) and bucket."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.watchlist.dynamo import DynamoFaces
from sightline.watchlist.model import Face
from tests.builders import a_device, a_face, a_lambda_context
from tests.fakes.tables import create_table, create_watchlist_tables

REGION = "us-east-1"
ADA = a_face("ada", face_id="ed1b560f-d6af-5158-989a-ff586c931545")
GRACE = a_face("grace", face_id="1f0e7a52-6c1c-4b7e-9a55-0d3a0f2c9b11")
Consume = Callable[[dict[str, Any]], list[str]]


@dataclass
class Aws:
    dynamodb: Any
    kinesis: Any
    sns: Any
    sqs: Any
    s3: Any
    topic_arn: str
    queue_url: str

    def enrol(self, *faces: Face) -> None:
        for face in faces:
            DynamoFaces(self.dynamodb, "faces").add(face)

    def alerts(self) -> list[dict[str, Any]]:
        """The SNS envelopes that arrived since the last look."""
        found = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        for message in found.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]

    def rows(self) -> list[dict[str, Any]]:
        shard = self.kinesis.list_shards(StreamName="sightings")["Shards"][0]["ShardId"]
        iterator = self.kinesis.get_shard_iterator(
            StreamName="sightings", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        records = self.kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        return [json.loads(record["Data"]) | {"key": record["PartitionKey"]} for record in records]

    def parked(self) -> dict[str, dict[str, Any]]:
        keys = [each["Key"] for each in self.s3.list_objects_v2(Bucket="parked").get("Contents", [])]
        return {key: json.loads(self.s3.get_object(Bucket="parked", Key=key)["Body"].read()) for key in keys}

    def visit(self, person_id: str = "ada") -> dict[str, Any]:
        key = {"device_id": {"S": "gate-3"}, "person_id": {"S": person_id}}
        item: dict[str, Any] = self.dynamodb.get_item(TableName="visits", Key=key).get("Item", {})
        return item


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with mock_aws():
        dynamodb, kinesis, sns, sqs, s3 = (
            boto3.client(name, region_name=REGION)  # type: ignore[call-overload]
            for name in ("dynamodb", "kinesis", "sns", "sqs", "s3")
        )
        create_table(dynamodb, "devices", ["device_id"])
        create_table(dynamodb, "visits", ["device_id", "person_id"])
        create_watchlist_tables(dynamodb)
        DynamoDeviceStore(dynamodb, "devices").add(a_device(similarity_threshold=80.0))
        kinesis.create_stream(StreamName="sightings", ShardCount=1)
        topic_arn = sns.create_topic(Name="alerts")["TopicArn"]
        queue_url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:inbox")
        s3.create_bucket(Bucket="parked")
        for name, value in {
            "DEVICES_TABLE": "devices",
            "FACES_TABLE": "faces",
            "VISITS_TABLE": "visits",
            "SIGHTINGS_STREAM": "sightings",
            "ALERTS_TOPIC_ARN": topic_arn,
            "PARKED_RECORDS_BUCKET": "parked",
            "STACK_NAME": "sightline",
            "VISIT_GAP_SECONDS": "60",
        }.items():
            monkeypatch.setenv(name, value)
        world = Aws(dynamodb, kinesis, sns, sqs, s3, topic_arn, queue_url)
        world.enrol(ADA, GRACE)
        yield world


@pytest.fixture
def function(aws: Aws) -> Iterator[ModuleType]:
    """The module of consume_face_records, cold."""
    del aws
    handler = importlib.import_module("functions.consume_face_records.handler")
    for cached in (handler.consumer, handler.invocations):
        cached.cache_clear()
    yield handler
    for cached in (handler.consumer, handler.invocations):
        cached.cache_clear()


@pytest.fixture
def consume(function: ModuleType) -> Consume:
    """Invoke the function; the answer is the sequence numbers that have to come again."""

    def invoke(event: dict[str, Any]) -> list[str]:
        response = function.lambda_handler(event, a_lambda_context("consume_face_records"))
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]

    return invoke
