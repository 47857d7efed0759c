"""Records of a stream as they are delivered, and what Lambda is told about them."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record of a stream."""

    sequence_number: str
    payload: bytes


def deliveries_of(event: Mapping[str, Any]) -> tuple[str, tuple[Delivery, ...]]:
    """Give the stream's name and what came; an event source mapping delivers records of one stream only."""
    records = event["Records"]
    stream = records[0]["eventSourceARN"].rpartition("/")[2] if records else ""
    return stream, tuple(
        Delivery(each["kinesis"]["sequenceNumber"], b64decode(each["kinesis"]["data"])) for each in records
    )


def failures_from(sequence_number: str | None) -> dict[str, Any]:
    """Tell Lambda what to deliver again: it begins at the lowest number that is named, so one says it all."""
    failures = [] if sequence_number is None else [{"itemIdentifier": sequence_number}]
    return {"batchItemFailures": failures}
