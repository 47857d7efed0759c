"""The lake's bucket: Parquet files by day, lists of them, and answers of Athena."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline.errors import RejectedError, UnavailableError
from sightline.lake.model import LakeFile
from sightline.outages import any_failure_means_later

# Where Firehose writes: its stream in the template has the same prefix.
SIGHTINGS = "sightings/"
LISTS = "answers/compaction/"  # forgotten with Athena's answers
_KEYS_AT_ONCE = 1000
_NAME = "the lake's bucket"


@dataclass(frozen=True, slots=True)
class S3LakeFiles:
    """`client` is a boto3 S3 client."""

    client: Any
    bucket: str

    def of_day(self, day: str) -> list[LakeFile]:
        pages = self.client.get_paginator("list_objects_v2")
        with any_failure_means_later(_NAME):
            return [
                LakeFile(each["Key"], each["Size"], each["LastModified"])
                for page in pages.paginate(Bucket=self.bucket, Prefix=f"{SIGHTINGS}dt={day}/")
                for each in page.get("Contents", [])
            ]

    def write_list(self, name: str, files: Sequence[LakeFile]) -> str:
        key = f"{LISTS}{name}.json"
        rows = [[each.key, each.size, each.modified_at.isoformat()] for each in files]
        with any_failure_means_later(_NAME):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(rows).encode())
        return key

    def read_list(self, key: str) -> list[LakeFile]:
        rows = json.loads(self._read(key))
        return [LakeFile(name, size, datetime.fromisoformat(moment)) for name, size, moment in rows]

    def remove(self, files: Sequence[LakeFile]) -> None:
        for start in range(0, len(files), _KEYS_AT_ONCE):
            keys = [{"Key": each.key} for each in files[start : start + _KEYS_AT_ONCE]]
            with any_failure_means_later(_NAME):
                answer = self.client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise UnavailableError(f"{_NAME} kept {len(errors)} files: {errors[0].get('Code')}")

    def first_column(self, url: str) -> list[str]:
        rows = csv.reader(io.StringIO(self._read(self.key_of(url)).decode()))
        return [row[0] for row in rows][1:]

    def key_of(self, url: str) -> str:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        if bucket != self.bucket:
            raise RejectedError(f"{url} is not in {self.bucket}")
        return key

    def _read(self, key: str) -> bytes:
        with any_failure_means_later(_NAME):
            return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())
