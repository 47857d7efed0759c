"""The alerts as a subscriber gets them: an SQS queue on the alerts topic, read on a thread."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sightline_cli.stack import Stack


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One SNS message, and when it came."""

    subject: str
    alert: dict[str, Any]
    received_at: datetime

    @property
    def alert_id(self) -> str:
        return str(self.alert["alert_id"])

    @property
    def person_name(self) -> str:
        return str(self.alert["person"]["name"])

    @property
    def seen_at(self) -> datetime:
        return datetime.fromisoformat(self.alert["seen_at"])

    @property
    def frame_to_alert_ms(self) -> int:
        """From the moment the frame was taken to the moment the subscriber had the alert."""
        return round((self.received_at - self.seen_at).total_seconds() * 1000)


def read_notification(body: str, received_at: datetime) -> ReceivedAlert:
    """Take the alert out of SNS' envelope."""
    envelope = json.loads(body)
    return ReceivedAlert(str(envelope.get("Subject") or ""), json.loads(envelope["Message"]), received_at)


@dataclass(frozen=True, slots=True)
class Inbox:
    """The queue of a subscriber; `sqs` is a boto3 client."""

    sqs: Any
    queue_url: str

    def is_empty(self) -> bool:
        """Tell whether every alert that was sent has been read."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)
        return all(int(count) == 0 for count in answer["Attributes"].values())


@contextmanager
def subscribed(stack: Stack, name: str, events: "queue.Queue[Any]") -> Iterator[Inbox]:
    """Put every alert on `events` while the block runs; queue and subscription go with the stack."""
    sqs = stack.client("sqs")
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    _subscribe(stack.client("sns"), sqs, stack.output("AlertsTopicArn"), queue_url)
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(sqs, queue_url, events, ended), name="alerts", daemon=True)
    reader.start()
    try:
        yield Inbox(sqs, queue_url)
    finally:
        ended.set()
        reader.join()


def _subscribe(sns: Any, sqs: Any, topic: str, queue_url: str) -> None:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    allow = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": attributes["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": json.dumps(allow)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])


def _read(sqs: Any, queue_url: str, events: "queue.Queue[Any]", ended: threading.Event) -> None:
    while not ended.is_set():
        # The long poll is short, for it delays the end of the demo.
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        received_at = datetime.now(UTC)
        for message in answer.get("Messages", []):
            events.put(read_notification(message["Body"], received_at))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        if not answer.get("Messages"):
            # Some endpoints answer a long poll at once; do not spin on them.
            time.sleep(0.02)
