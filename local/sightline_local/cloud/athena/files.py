"""The objects of tables and answers, read and written with the rights of the caller."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_local.cloud.athena.errors import reading, writing

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class DataFile:
    """`values` are those of the partition that it lies in."""

    url: str
    size: int
    values: tuple[str, ...] = ()


class Bucket:
    """`client` is a boto3 S3 client with the caller's keys."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def below(self, prefix: str) -> Iterator[DataFile]:
        """What Athena counts as data: neither folders nor hidden files, nor what is empty."""
        bucket, key = place_of(prefix)
        with reading(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
                for each in page.get("Contents", []):
                    name = each["Key"].rpartition("/")[2]
                    if name and name[0] not in "._" and each["Size"]:
                        yield DataFile(f"s3://{bucket}/{each['Key']}", each["Size"])

    def fetch(self, files: Iterable[DataFile], place: Callable[[int], Path]) -> None:
        """Put the n-th file at `place(n)`."""

        def download(numbered: tuple[int, DataFile]) -> None:
            number, file = numbered
            place(number).write_bytes(self.read(file.url))

        with ThreadPoolExecutor(_AT_ONCE) as downloads:
            list(downloads.map(download, enumerate(files)))

    def read(self, url: str) -> bytes:
        bucket, key = place_of(url)
        with reading(url):
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def write(self, url: str, body: bytes, **more: Any) -> None:
        bucket, key = place_of(url)
        with writing(url):
            self._client.put_object(Bucket=bucket, Key=key, Body=body, **more)

    def locate(self, url: str) -> None:
        """Athena asks where the bucket is before it writes an answer."""
        with writing(url):
            self._client.get_bucket_location(Bucket=place_of(url)[0])


def place_of(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
