"""What is written about a record that could not be processed: one JSON document in a line.

https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html
https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from sightline_local.cloud.firehose.conversion_settings import Conversion
from sightline_local.cloud.firehose.records import DIRECT, Record

PROCESSING_FAILED = "processing-failed"
CONVERSION_FAILED = "format-conversion-failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that goes to the error prefix, and why."""

    record: Record
    code: str
    message: str
    attempts: int = 1


def processing_document(failure: Failure, ended: datetime, lambda_arn: str | None) -> bytes:
    """Of a record that a function or the partitioning could not process."""
    return _line(
        {
            "attemptsMade": failure.attempts,
            "arrivalTimestamp": int(failure.record.arrived_at * 1000),
            "errorCode": failure.code,
            "errorMessage": failure.message,
            "attemptEndingTimestamp": int(ended.timestamp() * 1000),
            "rawData": b64encode(failure.record.data).decode(),
            **({"lambdaArn": lambda_arn} if lambda_arn else {}),
        }
    )


def conversion_document(failure: Failure, ended: datetime, table: Conversion) -> bytes:
    """Of a record that does not fit its table."""
    record = failure.record
    return _line(
        {
            "attemptsMade": failure.attempts,
            "arrivalTimestamp": int(record.arrived_at * 1000),
            "lastErrorCode": failure.code,
            "lastErrorMessage": failure.message,
            "attemptEndingTimestamp": int(ended.timestamp() * 1000),
            "rawData": b64encode(record.data).decode(),
            "sequenceNumber": None if record.lane == DIRECT else str(record.sequence),
            "subSequenceNumber": None,
            "dataCatalogTable": {
                "catalogId": table.catalog_id,
                "databaseName": table.database,
                "tableName": table.table,
                "region": table.region,
                "versionId": table.version,
                "catalogArn": None,
            },
        }
    )


def _line(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode() + b"\n"
