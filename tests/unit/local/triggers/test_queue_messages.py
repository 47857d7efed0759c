"""Messages of a queue, in parts whose events Lambda takes."""

from typing import Any

from sightline_local.triggers.queue_messages import EVENT_LIMIT_BYTES, event_of, within_limit

QUEUE = "arn:aws:sqs:us-east-1:123456789012:work"


def message(body: str) -> dict[str, Any]:
    return {"MessageId": body[:3], "ReceiptHandle": "r", "Body": body, "MD5OfBody": "m"}


def test_messages_that_fit_are_one_event() -> None:
    messages = [message("a"), message("b")]

    assert list(within_limit(messages)) == [messages]


def test_a_batch_that_is_too_large_is_parted() -> None:
    messages = [message("x" * 1_000_000) for _ in range(10)]

    parts = list(within_limit(messages))

    assert [len(part) for part in parts] == [5, 5]
    assert all(len(event_of(part, QUEUE)) <= EVENT_LIMIT_BYTES for part in parts)


def test_no_messages_are_no_event() -> None:
    assert list(within_limit([])) == []
