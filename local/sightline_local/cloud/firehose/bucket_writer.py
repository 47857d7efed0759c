"""Objects in the stream's bucket, written under its role.

https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sightline_local.cloud.firehose.access import RoleAccess
from sightline_local.cloud.firehose.buffers import Place
from sightline_local.cloud.firehose.settings import Bucket

_VERSION = 1  # UpdateDestination, which would count it up, is not emulated
# What AWS says that the role needs, whatever the size of the object:
# https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
_ON_BUCKET = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_ON_OBJECT = ("s3:AbortMultipartUpload", "s3:GetObject")


class BucketWriter:
    """Names and writes objects."""

    def __init__(
        self,
        stream_name: str,
        bucket: Bucket,
        access: RoleAccess,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        self.bucket = bucket
        self._stream_name = stream_name
        self._access = access
        self._new_id = new_id

    def key(self, place: Place, oldest: datetime) -> str:
        """The key of an object whose oldest record arrived at `oldest`; InvalidPrefix if it is too long."""
        bucket = self.bucket
        moment = oldest.astimezone(bucket.zone)
        if place.error_type:
            prefix = bucket.error_prefix.evaluate(moment, {}, place.error_type)
            return f"{prefix}{self._name(moment)}{'.gz' if bucket.gzip else ''}"
        keys = dict(zip(bucket.prefix.partition_keys(), place.partition, strict=True))
        return f"{bucket.prefix.evaluate(moment, keys)}{self._name(moment)}{bucket.extension}"

    def manifest_key(self, folder: str, moment: datetime) -> str:
        """Of a list of objects for COPY, in `manifests/` or `errors/manifests/` of the plain prefix."""
        prefix = "".join(token for token in self.bucket.prefix.tokens if isinstance(token, str))
        return f"{prefix}{folder}{moment:%Y/%m/%d/%H}/{self._name(moment)}"

    def url(self, key: str) -> str:
        return f"s3://{self.bucket.name}/{key}"

    def put(self, key: str, body: bytes) -> None:
        """AccessDenied, TrustDenied, ClientError or BotoCoreError when it cannot be."""
        arn = f"arn:aws:s3:::{self.bucket.name}"
        for action in _ON_BUCKET:
            self._access.authorize(action, arn)
        for action in _ON_OBJECT:
            self._access.authorize(action, f"{arn}/{key}")
        client: Any = self._access.client("s3")
        client.put_object(Bucket=self.bucket.name, Key=key, Body=body)

    def _name(self, moment: datetime) -> str:
        return f"{self._stream_name}-{_VERSION}-{moment:%Y-%m-%d-%H-%M-%S}-{self._new_id()}"
