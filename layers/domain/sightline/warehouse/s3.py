"""The bucket beside the warehouse: what COPY reads, what Firehose left there, and the manifests of errors."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline.outages import any_failure_means_later
from sightline.warehouse.model import Row

# Where Firehose writes: its stream in the template has the same prefix.
MANIFESTS = "sightings/manifests/"
DIMENSIONS = "dimensions/"
ERRORS = "errors/rows/"


@dataclass(frozen=True, slots=True)
class S3WarehouseFiles:
    """`client` is a boto3 S3 client."""

    client: Any
    bucket: str

    @property
    def dimensions_url(self) -> str:
        return f"s3://{self.bucket}/{DIMENSIONS}"

    def write_rows(self, dimension: str, rows: Sequence[Row]) -> None:
        lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
        # Without a time in it the same rows are the same bytes.
        self._put(f"{DIMENSIONS}{dimension}.json.gz", gzip.compress(lines.encode(), mtime=0))

    def write_errors(self, copy_id: int, day: datetime, errors: Sequence[Row]) -> None:
        body = json.dumps({"copy": copy_id, "rows": list(errors)}, ensure_ascii=False, indent=1)
        self._put(f"{ERRORS}{day:%Y/%m/%d}/{copy_id}.json", body.encode())

    def has_new_rows(self, since: datetime) -> bool:
        """Firehose writes a manifest for every COPY, under the day and hour of UTC."""
        hour = since.astimezone(UTC) - timedelta(hours=1)  # a manifest is named a little before it is there
        with any_failure_means_later("the warehouse's bucket"):
            found = self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=MANIFESTS, StartAfter=f"{MANIFESTS}{hour:%Y/%m/%d/%H}", MaxKeys=1
            )
        return bool(found.get("Contents"))

    def _put(self, key: str, body: bytes) -> None:
        with any_failure_means_later("the warehouse's bucket"):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body)
