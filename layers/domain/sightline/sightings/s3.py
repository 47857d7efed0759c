"""Where face records go that cannot be read."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sightline.clock import to_iso
from sightline.outages import any_failure_means_later
from sightline.sightings.model import ParkedRecord


@dataclass(frozen=True, slots=True)
class S3ParkedRecords:
    """`client` is a boto3 S3 client."""

    client: Any
    bucket: str

    def park(self, record: ParkedRecord) -> None:
        content = {
            "face_stream": record.face_stream,
            "sequence_number": record.sequence_number,
            "reason": record.reason,
            "parked_at": to_iso(record.parked_at),
            "payload": base64.b64encode(record.payload).decode(),
        }
        with any_failure_means_later("the bucket for parked records"):
            self.client.put_object(
                Bucket=self.bucket,
                # Parked again by a retry, the record is still one object.
                Key=f"parked/{record.face_stream}/{record.sequence_number}.json",
                Body=json.dumps(content).encode(),
                ContentType="application/json",
            )
