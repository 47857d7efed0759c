"""Records as they are delivered."""

from base64 import b64encode
from typing import Any

from sightline.deliveries import Delivery, deliveries_of, failures_from

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/sightings"


def _record(number: int, payload: bytes) -> dict[str, Any]:
    kinesis = {"sequenceNumber": str(number), "data": b64encode(payload).decode()}
    return {"eventSourceARN": STREAM, "kinesis": kinesis}


def test_an_event_is_the_records_of_one_stream_in_their_order() -> None:
    stream, deliveries = deliveries_of({"Records": [_record(7, b"\x00\xff"), _record(9, b"{}")]})

    assert stream == "sightings"
    assert deliveries == (Delivery("7", b"\x00\xff"), Delivery("9", b"{}"))


def test_an_event_without_records_is_of_no_stream() -> None:
    assert deliveries_of({"Records": []}) == ("", ())


def test_lambda_delivers_again_from_the_number_that_it_is_told() -> None:
    assert failures_from("9") == {"batchItemFailures": [{"itemIdentifier": "9"}]}
    assert failures_from(None) == {"batchItemFailures": []}
