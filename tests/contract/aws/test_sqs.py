"""SQS: a message is there until somebody deletes it, or it was received too often."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

DOCS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest"
pytestmark = pytest.mark.source(f"{DOCS}/SQSDeveloperGuide/sqs-visibility-timeout.html")
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]


def source(page: str) -> pytest.MarkDecorator:
    return pytest.mark.source(f"{DOCS}/{page}")


@pytest.fixture
def sqs(client: Client) -> Any:
    return client("sqs")


@pytest.fixture
def queue(sqs: Any, request: pytest.FixtureRequest) -> str:
    """The URL of a queue of this test's own."""
    return str(sqs.create_queue(QueueName=str(request.node.name)[:70].partition("[")[0])["QueueUrl"])


def received(sqs: Any, queue: str, **more: Any) -> list[dict[str, Any]]:
    given = {"AttributeNames": ["All"], "MaxNumberOfMessages": 10, **more}
    return list(sqs.receive_message(QueueUrl=queue, **given).get("Messages", []))


def test_a_received_message_is_hidden_until_its_time_is_over_or_it_is_deleted(sqs: Any, queue: str) -> None:
    sent = sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    [first] = received(sqs, queue)
    assert (first["Body"], first["MessageId"]) == ("hello", sent["MessageId"])
    assert received(sqs, queue) == []
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    [again] = received(sqs, queue)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert (
        again["Attributes"]["ApproximateFirstReceiveTimestamp"]
        == (first["Attributes"]["ApproximateFirstReceiveTimestamp"])
    )
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    assert received(sqs, queue, VisibilityTimeout=0) == []


@source("SQSDeveloperGuide/sqs-dead-letter-queues.html")
def test_a_message_that_was_received_too_often_moves_to_the_dead_letter_queue(sqs: Any, queue: str) -> None:
    dead = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert [len(received(sqs, queue, VisibilityTimeout=0)) for _ in range(3)] == [1, 1, 0]
    [moved] = received(sqs, dead)
    assert moved["Body"] == "bad"


@source("APIReference/API_SendMessageBatch.html")
def test_a_batch_has_ten_entries_at_most_each_with_an_id_of_its_own(
    sqs: Any, queue: str, refusal: Refusal
) -> None:
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(11)]
    assert len(sqs.send_message_batch(QueueUrl=queue, Entries=entries[:10])["Successful"]) == 10
    too_many = refusal(sqs.send_message_batch, QueueUrl=queue, Entries=entries)
    assert "TooManyEntriesInBatchRequest" in too_many.response["Error"]["Code"]
    twice = refusal(sqs.send_message_batch, QueueUrl=queue, Entries=[entries[0], entries[0]])
    assert "BatchEntryIdsNotDistinct" in twice.response["Error"]["Code"]
    empty = refusal(sqs.send_message_batch, QueueUrl=queue, Entries=[])
    assert "EmptyBatchRequest" in empty.response["Error"]["Code"]


@source("APIReference/API_GetQueueUrl.html")
def test_a_queue_that_is_not_there_does_not_exist(sqs: Any, refusal: Refusal) -> None:
    error = refusal(sqs.get_queue_url, QueueName="nobody")
    assert error.response["Error"]["Code"] in (
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    )


@source("APIReference/API_CreateQueue.html")
def test_a_queue_is_made_again_with_the_same_attributes_only(sqs: Any, queue: str, refusal: Refusal) -> None:
    name = queue.rpartition("/")[2]
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == queue
    error = refusal(sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "77"})
    assert "QueueNameExists" in error.response["Error"]["Code"] or "QueueAlreadyExists" in str(error)


@source("SQSDeveloperGuide/sqs-message-metadata.html")
def test_attributes_travel_beside_the_body(sqs: Any, queue: str) -> None:
    attributes = {
        "text": {"DataType": "String", "StringValue": "a"},
        "number": {"DataType": "Number", "StringValue": "1.5"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
    [found] = received(sqs, queue, MessageAttributeNames=["All"])
    assert found["MessageAttributes"] == attributes


@source("APIReference/API_PurgeQueue.html")
def test_a_purged_queue_is_empty(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.purge_queue(QueueUrl=queue)
    assert received(sqs, queue) == []


@source("SQSDeveloperGuide/sqs-short-and-long-polling.html")
def test_a_long_poll_ends_when_a_message_comes(sqs: Any, queue: str, client_with: Any) -> None:
    from threading import Timer

    sender = client_with({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})("sqs")
    timer = Timer(0.2, lambda: sender.send_message(QueueUrl=queue, MessageBody="late"))
    timer.start()
    [found] = received(sqs, queue, WaitTimeSeconds=10)
    timer.join()
    assert found["Body"] == "late"
