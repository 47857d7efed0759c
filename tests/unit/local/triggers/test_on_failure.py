"""The documents of on-failure destinations."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sightline_local.triggers.delivery import Attempted, Outcome
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.on_failure import document, send
from sightline_local.triggers.records import StreamRecord, event_of

STREAM = "arn:aws:kinesis:us-east-2:123456789012:stream/mystream"
FUNCTION = "arn:aws:lambda:us-east-2:123456789012:function:myfunction"
MOMENT = datetime(2019, 11, 14, 0, 38, 6, 21_000, UTC)
RECORDS = (
    StreamRecord("shardId-000000000001", 7, "k", "YQ==", 1573691884.835),
    StreamRecord("shardId-000000000001", 9, "k", "Yg==", 1573691885.580),
)
PART = Attempted(RECORDS, retries=2, invocations=3, last=Outcome(0, function_error=True))


def settings(destination: str) -> MappingSettings:
    return MappingSettings("an-uuid", FUNCTION, STREAM, "LATEST", on_failure=destination)


class Spy:
    """Any client: notes the one call it gets."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://127.0.0.1:4566")
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda **params: self.calls.append((name, params))


def sent(destination: str) -> tuple[str, dict[str, Any]]:
    spy = Spy()
    content = document(settings(destination), PART, "RetryAttemptsExhausted", MOMENT)
    send(content, event_of(RECORDS, STREAM, "role"), settings(destination), lambda _service: spy)
    return spy.calls[0]


def test_the_document_is_the_one_that_aws_shows() -> None:
    content = document(settings("arn:aws:s3:::b"), PART, "RetryAttemptsExhausted", MOMENT)

    assert content["requestContext"].pop("requestId")
    assert content == {
        "requestContext": {
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "7",
            "endSequenceNumber": "9",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
            "batchSize": 2,
            "streamArn": STREAM,
        },
    }


def test_a_bucket_gets_the_whole_event_under_a_key_by_mapping_shard_and_day() -> None:
    operation, params = sent("arn:aws:s3:::parked")

    body = json.loads(params["Body"])
    records = json.loads(body["payload"])["Records"]
    assert (operation, params["Bucket"]) == ("put_object", "parked")
    assert params["Key"].startswith("aws/lambda/an-uuid/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-")
    assert [record["kinesis"]["sequenceNumber"] for record in records] == ["7", "9"]


def test_a_queue_gets_no_payload() -> None:
    operation, params = sent("arn:aws:sqs:us-east-2:123456789012:dead")

    assert operation == "send_message"
    assert params["QueueUrl"] == "http://127.0.0.1:4566/123456789012/dead"
    assert "payload" not in json.loads(params["MessageBody"])


def test_a_topic_gets_no_payload() -> None:
    operation, params = sent("arn:aws:sns:us-east-2:123456789012:dead")

    assert (operation, params["TopicArn"]) == ("publish", "arn:aws:sns:us-east-2:123456789012:dead")
    assert "payload" not in json.loads(params["Message"])


def test_the_event_is_the_one_that_lambda_documents() -> None:
    event = json.loads(event_of(RECORDS[:1], STREAM, "arn:aws:iam::123456789012:role/r"))

    assert event == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "k",
                    "sequenceNumber": "7",
                    "data": "YQ==",
                    "approximateArrivalTimestamp": 1573691884.835,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-000000000001:7",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/r",
                "awsRegion": "us-east-2",
                "eventSourceARN": STREAM,
            }
        ]
    }
