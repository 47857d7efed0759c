"""The bucket of the records that cannot be read."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sightline.clock import to_iso
from sightline.outages import any_failure_means_later
from sightline.parking import ParkedRecord


@dataclass(frozen=True, slots=True)
class S3ParkedRecords:
    """`client` is a boto3 S3 client; `stream_field` is what an object calls the stream that it came from."""

    client: Any
    bucket: str
    stream_field: str

    def park(self, record: ParkedRecord) -> None:
        content = {
            self.stream_field: record.stream,
            "sequence_number": record.sequence_number,
            "reason": record.reason,
            "parked_at": to_iso(record.parked_at),
            "payload": base64.b64encode(record.payload).decode(),
        }
        with any_failure_means_later("the bucket for parked records"):
            self.client.put_object(
                Bucket=self.bucket,
                # Parked again by a retry, the record is still one object.
                Key=f"parked/{record.stream}/{record.sequence_number}.json",
                Body=json.dumps(content).encode(),
                ContentType="application/json",
            )
