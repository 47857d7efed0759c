"""Event streams on the wire, read by botocore's own reader."""

import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from botocore.eventstream import EventStreamBuffer

from sightline_local.cloud.event_stream import EventStreamBody
from sightline_local.cloud.service import EventStream, ServiceError


def messages(events: Iterator[tuple[str, dict[str, Any]]], protocol: str = "json") -> list[Any]:
    buffer = EventStreamBuffer()  # checks every checksum
    for part in EventStreamBody(EventStream(events, lambda: None), protocol):
        buffer.add_data(part)
    return list(buffer)


def test_the_first_message_says_that_the_call_has_succeeded() -> None:
    """https://smithy.io/2.0/aws/amazon-eventstream.html: the initial response of an RPC protocol."""
    (first,) = messages(iter([]))

    assert first.headers == {
        ":message-type": "event",
        ":event-type": "initial-response",
        ":content-type": "application/x-amz-json-1.1",
    }
    assert first.payload == b"{}"


@pytest.mark.parametrize(("protocol", "reader"), [("json", json.loads), ("cbor", cbor2.loads)])
def test_an_event_has_its_name_and_speaks_as_the_request_did(protocol: str, reader: Any) -> None:
    _, event = messages(iter([("SubscribeToShardEvent", {"MillisBehindLatest": 7})]), protocol)

    assert event.headers[":event-type"] == "SubscribeToShardEvent"
    assert event.headers[":content-type"] == f"application/x-amz-{protocol}-1.1"
    assert reader(event.payload) == {"MillisBehindLatest": 7}


def test_an_error_is_the_last_message() -> None:
    def failing() -> Iterator[tuple[str, dict[str, Any]]]:
        yield "SubscribeToShardEvent", {}
        raise ServiceError("ResourceInUseException", "somebody else")

    *_, last = messages(failing())

    assert (last.headers[":message-type"], last.headers[":exception-type"]) == (
        "exception",
        "ResourceInUseException",
    )
    assert json.loads(last.payload) == {"message": "somebody else"}
