"""The files that a COPY reads, with the rights of its role."""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.cloud.redshift.copy_command import CopyCommand
from sightline_local.cloud.redshift.errors import SqlError


class S3Files:
    """Objects by their URLs; SqlError in Redshift's words when S3 refuses."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, url: str) -> bytes:
        bucket, key = _place(url)
        try:
            return bytes(self._client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, url) from error

    def below(self, prefix: str) -> list[str]:
        """The URLs of all objects whose keys begin with the prefix."""
        bucket, key = _place(prefix)
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            return [f"s3://{bucket}/{each['Key']}" for page in pages for each in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, prefix) from error

    def is_there(self, url: str) -> bool:
        bucket, key = _place(url)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise _refused(error, url) from error
        return True


def texts_of(command: CopyCommand, files: S3Files) -> Iterator[tuple[str, str]]:
    """URL and text of every file to load, one at a time."""
    urls = _of_manifest(command, files) if command.is_manifest else files.below(command.source)
    if not urls:
        raise SqlError(f"The specified S3 prefix '{_place(command.source)[1]}' does not exist")
    for url in urls:
        yield url, _decoded(_unpacked(files.read(url), url) if command.gzip else files.read(url), command)


def _of_manifest(command: CopyCommand, files: S3Files) -> list[str]:
    text = files.read(command.source)
    try:
        entries = [(str(entry["url"]), bool(entry.get("mandatory"))) for entry in json.loads(text)["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError(f"Problem reading manifest file: {command.source}: it is no manifest") from error
    found = [url for url, mandatory in entries if mandatory or files.is_there(url)]
    if not found and entries:
        raise SqlError(f"Problem reading manifest file: {command.source}: none of its files exists")
    return found


def _unpacked(data: bytes, url: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise SqlError(f"gzip: unexpected end of stream. file {url}: {error}") from error


def _decoded(data: bytes, command: CopyCommand) -> str:
    """Bytes that are no UTF-8 become ACCEPTINVCHARS's character, or mark the rows that hold them."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        replacement = command.invalid_character
        if replacement is None:
            return text
        return "".join(replacement if 0xDC80 <= ord(each) <= 0xDCFF else each for each in text)


def _place(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def _refused(error: ClientError | BotoCoreError, url: str) -> SqlError:
    if not isinstance(error, ClientError):
        return SqlError(f"S3ServiceException:{error}")
    code = error.response["Error"]["Code"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    message = error.response["Error"]["Message"].rstrip(".")
    return SqlError(f"S3ServiceException:{message},Status {status},Error {code},Key {_place(url)[1]}")
