"""Records that cannot be read, in the queue of failures."""

import base64
import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.errors import UnavailableError
from sightline.parking import ParkedRecord
from sightline.presence.sqs import MOST_PAYLOAD_BYTES, SqsSetAside
from tests.builders import SEEN_AT
from tests.fakes.aws_clients import FakeAws


def a_record(number: int = 1, payload: bytes = b"no json \xff") -> ParkedRecord:
    return ParkedRecord("sightings", f"sn-{number}", payload, "it is no row", SEEN_AT)


def sent_in_calls(*records: ParkedRecord) -> list[list[dict[str, Any]]]:
    aws = FakeAws()
    SqsSetAside(aws.client("sqs"), "https://queue").park(records)
    return [[json.loads(each["MessageBody"]) for each in call["Entries"]] for _, _, call in aws.calls]


def test_a_record_is_kept_with_its_payload_and_the_reason() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="failures")["QueueUrl"]

        SqsSetAside(sqs, url).park([a_record()])

        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        body = json.loads(message["Body"])
        assert base64.b64decode(body.pop("payload")) == b"no json \xff"
        assert body == {
            "stream": "sightings",
            "sequence_number": "sn-1",
            "reason": "it is no row",
            "parked_at": "2026-11-22T13:02:07.000Z",
            "payload_bytes": 9,
        }


def test_many_records_go_ten_at_a_time() -> None:
    calls = sent_in_calls(*(a_record(n) for n in range(25)))

    assert [len(call) for call in calls] == [10, 10, 5]
    assert [each["sequence_number"] for call in calls for each in call] == [f"sn-{n}" for n in range(25)]


def test_large_records_go_alone_and_the_largest_with_their_begin() -> None:
    calls = sent_in_calls(a_record(1, b"x" * 100_000), a_record(2, b"y" * 1_000_000), a_record(3))

    assert [[each["sequence_number"] for each in call] for call in calls] == [["sn-1"], ["sn-2", "sn-3"]]
    largest = calls[1][0]
    assert len(base64.b64decode(largest["payload"])) == MOST_PAYLOAD_BYTES
    assert largest["payload_bytes"] == 1_000_000
    assert all(len(json.dumps(call)) < 262_144 for call in calls)


def test_a_queue_that_takes_only_some_is_asked_again_with_the_batch() -> None:
    aws = FakeAws()
    aws.answers["sqs", "SendMessageBatch"] = {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    with pytest.raises(UnavailableError, match="InternalError"):
        SqsSetAside(aws.client("sqs"), "https://queue").park([a_record()])


def test_a_queue_that_is_gone_means_later() -> None:
    aws = FakeAws()
    aws.answers["sqs", "SendMessageBatch"] = "AWS.SimpleQueueService.NonExistentQueue"

    with pytest.raises(UnavailableError):
        SqsSetAside(aws.client("sqs"), "https://queue").park([a_record()])
