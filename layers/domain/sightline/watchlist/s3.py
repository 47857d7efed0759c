"""The bucket of photos: `photos/` of enrolled faces, `uploads/` on their way (a rule ends them in a day)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.errors import UnavailableError
from sightline.watchlist.photo import Photo, read_upload

# The size of a picture stands behind its comments and thumbnails: far less than this, but more than 64 KB.
HEAD_BYTES = 1024 * 1024
# DeleteObjects takes 1,000 keys; ListObjectsV2 answers as many.
KEYS_AT_ONCE = 1000
_EXTENSIONS = ("jpg", "png")


@dataclass(frozen=True, slots=True)
class S3Photos:
    """`client` is a boto3 S3 client; nothing new is kept unless `keeps`, but what was kept is removed."""

    client: Any
    bucket: str
    keeps: bool

    def keep(self, photo: Photo, *, person_id: str, face_id: str) -> None:
        if not self.keeps:
            return
        key = _photo_key(person_id, face_id, photo.extension)
        with busy_means_unavailable("S3"):
            if photo.upload_key is None:
                self.client.put_object(
                    Bucket=self.bucket, Key=key, Body=photo.content, ContentType=_type(photo)
                )
            else:
                self.client.copy_object(
                    Bucket=self.bucket,
                    Key=key,
                    CopySource={"Bucket": self.bucket, "Key": photo.upload_key},
                    ContentType=_type(photo),
                    MetadataDirective="REPLACE",
                )

    def forget(self, person_id: str, face_ids: Iterable[str]) -> None:
        self._delete([_photo_key(person_id, face, each) for face in face_ids for each in _EXTENSIONS])

    def forget_all(self, person_id: str) -> None:
        for folder in ("photos", "uploads"):
            self._delete(self._keys(f"{folder}/{person_id}/"))

    def _keys(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        with busy_means_unavailable("S3"):
            return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def _delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), KEYS_AT_ONCE):
            objects = [{"Key": key} for key in keys[start : start + KEYS_AT_ONCE]]
            with busy_means_unavailable("S3"):
                done = self.client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
                )
            if done.get("Errors"):
                raise UnavailableError(f"S3 did not remove {len(done['Errors'])} photos; try again.")


@dataclass(frozen=True, slots=True)
class S3Uploads:
    """`client` is a boto3 S3 client that signs by version 4 (version 2 cannot write to encrypted buckets)."""

    client: Any
    bucket: str

    def url(self, person_id: str, photo_id: str, *, lasting: timedelta) -> str:
        return str(
            self.client.generate_presigned_url(
                "put_object",
                Params={"Bucket": self.bucket, "Key": _upload_key(person_id, photo_id)},
                ExpiresIn=int(lasting.total_seconds()),
            )
        )

    def read(self, person_id: str, photo_id: str) -> Photo | None:
        """Without its content, which Rekognition reads by itself."""
        key = _upload_key(person_id, photo_id)
        try:
            with busy_means_unavailable("S3"):
                found = self.client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes=0-{HEAD_BYTES - 1}")
                head = found["Body"].read()
        except ClientError as error:
            if error_code(error) == "InvalidRange":  # of an empty object
                return read_upload(b"", 0, key)
            if error_code(error) == "NoSuchKey":
                return None
            raise
        size_bytes = int(str(found.get("ContentRange", "")).rpartition("/")[2] or len(head))
        return read_upload(head, size_bytes, key)

    def forget(self, person_id: str, photo_id: str) -> None:
        with busy_means_unavailable("S3"):
            self.client.delete_object(Bucket=self.bucket, Key=_upload_key(person_id, photo_id))


def _photo_key(person_id: str, face_id: str, extension: str) -> str:
    return f"photos/{person_id}/{face_id}.{extension}"


def _upload_key(person_id: str, photo_id: str) -> str:
    return f"uploads/{person_id}/{photo_id}"


def _type(photo: Photo) -> str:
    return "image/png" if photo.extension == "png" else "image/jpeg"
