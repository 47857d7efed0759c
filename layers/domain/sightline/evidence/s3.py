"""The evidence bucket: `alerts/<alert_id>/…`, each object written once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.clock import Clock, to_iso, utc_now
from sightline.evidence.model import (
    CLIP,
    FACE_RECORD,
    FRAME,
    MANIFEST,
    THUMBNAIL,
    UNBOXED,
    Manifest,
    StoredFile,
    key_of,
)
from sightline.outages import any_failure_means_later

NAME = "the evidence bucket"
LINK_LIFE = timedelta(minutes=15)
_CONTENT_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".json": "application/json"}
_LINK_OF = {
    FRAME: "frame_url",
    UNBOXED: "unboxed_frame_url",
    THUMBNAIL: "thumbnail_url",
    CLIP: "clip_url",
    FACE_RECORD: "face_record_url",
    MANIFEST: "manifest_url",
}
_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class S3Vault:
    """`client` is a boto3 S3 client."""

    client: Any
    bucket: str

    def is_closed(self, alert_id: str) -> bool:
        with any_failure_means_later(NAME):
            try:
                self.client.head_object(Bucket=self.bucket, Key=key_of(alert_id, MANIFEST))
            except ClientError as error:
                if error_code(error) not in _ABSENT:
                    raise
                return False
        return True

    def keep(self, alert_id: str, name: str, content: bytes) -> StoredFile:
        with any_failure_means_later(NAME):
            if self._put(key_of(alert_id, name), content):
                return StoredFile.of(name, content)
            found = self.client.get_object(Bucket=self.bucket, Key=key_of(alert_id, name))
            return StoredFile.of(name, found["Body"].read())

    def close(self, manifest: Manifest) -> None:
        with any_failure_means_later(NAME):
            self._put(key_of(manifest.request.alert_id, MANIFEST), manifest.to_bytes())

    def _put(self, key: str, content: bytes) -> bool:
        """False when the object is there already. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""
        try:
            self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=content,
                ContentType=_CONTENT_TYPES[key[key.rindex(".") :]],
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
            )
        except ClientError as error:
            if error_code(error) != "PreconditionFailed":
                raise
            return False
        return True


def presigning_client() -> Any:
    """Buckets made since 2020 accept version 4 signatures only; boto3 may presign with version 2."""
    config = Config(signature_version="s3v4", connect_timeout=2, read_timeout=6)
    return boto3.client("s3", config=config)


@dataclass(frozen=True, slots=True)
class EvidenceLinks:
    """For whoever reads an alert; `client` is that of `presigning_client`."""

    client: Any
    bucket: str
    clock: Clock = utc_now

    def links(self, alert_id: str) -> dict[str, Any]:
        """`{"status": "pending"}` until all is there; then a link for each file, and when they end."""
        manifest = self._manifest(alert_id)
        if manifest is None:
            return {"status": "pending"}
        names = [*(each["name"] for each in manifest["files"]), MANIFEST]
        return {
            "status": manifest["status"],
            "expires_at": to_iso(self.clock() + LINK_LIFE),
            "missing": manifest["missing"],
        } | {_LINK_OF[name]: self._link(alert_id, name) for name in names if name in _LINK_OF}

    def _manifest(self, alert_id: str) -> Mapping[str, Any] | None:
        with busy_means_unavailable("Evidence"):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=key_of(alert_id, MANIFEST))
            except ClientError as error:
                if error_code(error) not in _ABSENT:
                    raise
                return None
            manifest: Mapping[str, Any] = json.loads(found["Body"].read())
            return manifest

    def _link(self, alert_id: str, name: str) -> str:
        link: str = self.client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket, "Key": key_of(alert_id, name)},
            ExpiresIn=int(LINK_LIFE.total_seconds()),
        )
        return link
