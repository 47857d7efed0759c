"""Where records of the sightings stream go that cannot be read."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sightline.clock import to_iso
from sightline.history.model import ParkedRow
from sightline.outages import any_failure_means_later


@dataclass(frozen=True, slots=True)
class S3ParkedRows:
    """`client` is a boto3 S3 client."""

    client: Any
    bucket: str

    def park(self, row: ParkedRow) -> None:
        content = {
            "stream": row.stream,
            "sequence_number": row.sequence_number,
            "reason": row.reason,
            "parked_at": to_iso(row.parked_at),
            "payload": base64.b64encode(row.payload).decode(),
        }
        with any_failure_means_later("the bucket for parked records"):
            self.client.put_object(
                Bucket=self.bucket,
                # Parked again by a retry, the record is still one object.
                Key=f"parked/{row.stream}/{row.sequence_number}.json",
                Body=json.dumps(content).encode(),
                ContentType="application/json",
            )
