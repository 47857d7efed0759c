"""Messages of a queue: waited for in moto's queue, written into Lambda's event.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Event
from typing import Any

from moto.sqs.models import sqs_backends

EVENT_LIMIT_BYTES = 6 * 1000 * 1000
_MESSAGE_OVERHEAD_BYTES = 1000

Message = dict[str, Any]  # as ReceiveMessage answers it


class Queue:
    """A queue by ARN. Waiting happens in this process; messages are received and deleted by AWS's API."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._region, self._account, self._name = arn.split(":")[3:6]

    def exists(self) -> bool:
        return self._queue() is not None

    def url(self, endpoint_url: str) -> str:
        return f"{endpoint_url}/{self._account}/{self._name}"

    def visibility_seconds(self) -> int:
        return int(self._queue().visibility_timeout)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Whether there may be a message now, or within so many seconds; `wake` lets it see `stop`."""
        queue = self._queue()
        if queue is None:
            return True  # receiving says what is wrong
        with _changes_of(queue) as changes:
            changes.wait_for(lambda: queue.messages or stop.is_set(), max(0, seconds))
        return bool(queue.messages)

    def wake(self) -> None:
        """Whoever waits looks again."""
        if queue := self._queue():
            with _changes_of(queue) as changes:
                changes.notify_all()

    def _queue(self) -> Any:
        return sqs_backends[self._account][self._region].queues.get(self._name)


@contextmanager
def _changes_of(queue: Any) -> Iterator[Condition]:
    """What moto notifies when a message comes."""
    changes: Condition = queue._messages_lock  # noqa: SLF001  waiting without it would be polling
    with changes:
        yield changes


def event_of(messages: Sequence[Message], queue_arn: str) -> bytes:
    """The event that Lambda hands to a function."""
    region = queue_arn.split(":")[3]
    return json.dumps({"Records": [_entry(message, queue_arn, region) for message in messages]}).encode()


def within_limit(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in parts whose events Lambda takes."""
    part: list[Message] = []
    size = 0
    for message in messages:
        more = len(json.dumps(message["Body"])) + _MESSAGE_OVERHEAD_BYTES
        if part and size + more > EVENT_LIMIT_BYTES:
            yield part
            part, size = [], 0
        part.append(message)
        size += more
    if part:
        yield part


def _entry(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    md5 = message.get("MD5OfMessageAttributes")
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        **({"md5OfMessageAttributes": md5} if md5 else {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    binary = value.get("BinaryValue")
    return {
        **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
        **({"binaryValue": b64encode(binary).decode()} if binary is not None else {}),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
