"""What the bucket of photos promises: the fake of the unit tests, and S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from sightline.watchlist.photo import Photo, read_upload
from sightline.watchlist.ports import Photos, Uploads
from sightline.watchlist.s3 import HEAD_BYTES, S3Photos, S3Uploads
from tests.fakes.watchlist import FakePhotos, FakeUploads

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + b"\x08\x02\x00\x00\x00"
)


@dataclass
class Bucket:
    photos: Photos
    uploads: Uploads
    upload: Callable[[str, str, bytes], None]
    kept: Callable[[], list[tuple[str, str]]]  # person and face


def the_fake() -> Bucket:
    photos = FakePhotos()

    def upload(person_id: str, photo_id: str, content: bytes) -> None:
        photo = read_upload(content[:HEAD_BYTES], len(content), f"uploads/{person_id}/{photo_id}")
        photos.uploads[person_id, photo_id] = photo

    return Bucket(photos, FakeUploads(photos), upload, lambda: sorted(photos.kept))


def s3_bucket(client: Any) -> Bucket:
    client.create_bucket(Bucket="photos")

    def kept() -> list[tuple[str, str]]:
        found = client.list_objects_v2(Bucket="photos", Prefix="photos/").get("Contents", ())
        return sorted(
            (key.split("/")[1], key.split("/")[2].split(".")[0]) for key in (f["Key"] for f in found)
        )

    return Bucket(
        S3Photos(client, "photos", keeps=True),
        S3Uploads(client, "photos"),
        lambda person, photo, content: client.put_object(
            Bucket="photos", Key=f"uploads/{person}/{photo}", Body=content
        ),
        kept,
    )


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))


@pytest.fixture(params=["fake", "s3"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    return the_fake() if request.param == "fake" else s3_bucket(request.getfixturevalue("s3"))


def test_an_upload_is_read_with_its_size_in_pixels_and_kept_as_the_face_it_became(bucket: Bucket) -> None:
    bucket.upload("ada", "photo-1", PNG + bytes(2 * HEAD_BYTES))

    photo = bucket.uploads.read("ada", "photo-1")
    assert photo is not None
    bucket.photos.keep(photo, person_id="ada", face_id="f-1")
    bucket.uploads.forget("ada", "photo-1")

    assert (photo.width_px, photo.height_px, photo.extension) == (640, 480, "png")
    assert photo.upload_key == "uploads/ada/photo-1"
    assert bucket.uploads.read("ada", "photo-1") is None
    assert bucket.kept() == [("ada", "f-1")]


def test_an_upload_of_somebody_else_is_not_there(bucket: Bucket) -> None:
    bucket.upload("ada", "photo-1", PNG)

    assert bucket.uploads.read("grace", "photo-1") is None


def test_photos_go_one_by_one_and_again(bucket: Bucket) -> None:
    for face_id in ("f-1", "f-2"):
        bucket.photos.keep(Photo(PNG, 640, 480, "png"), person_id="ada", face_id=face_id)
    bucket.photos.keep(Photo(b"jpeg", 640, 480), person_id="ada", face_id="f-3")

    for _ in range(2):
        bucket.photos.forget("ada", ["f-1", "f-3"])

    assert bucket.kept() == [("ada", "f-2")]


def test_everything_of_a_person_goes_and_nothing_of_others(bucket: Bucket) -> None:
    for person_id in ("ada", "ada-2"):
        bucket.photos.keep(Photo(PNG, 640, 480, "png"), person_id=person_id, face_id="f-1")
        bucket.upload(person_id, "photo-1", PNG)

    for _ in range(2):
        bucket.photos.forget_all("ada")

    assert bucket.kept() == [("ada-2", "f-1")]
    assert bucket.uploads.read("ada", "photo-1") is None
    assert bucket.uploads.read("ada-2", "photo-1") is not None


def test_the_url_of_an_upload_is_signed_by_version_4_for_its_time(s3: Any) -> None:
    url = s3_bucket(s3).uploads.url("ada", "photo-1", lasting=timedelta(minutes=15))

    assert "/uploads/ada/photo-1?" in url
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    assert "X-Amz-Expires=900" in url


def test_nothing_new_is_kept_when_nothing_is_to_be_kept_but_the_old_is_removed(s3: Any) -> None:
    bucket = s3_bucket(s3)
    bucket.photos.keep(Photo(PNG, 640, 480, "png"), person_id="ada", face_id="f-1")
    keeping_none = S3Photos(s3, "photos", keeps=False)

    keeping_none.keep(Photo(PNG, 640, 480, "png"), person_id="ada", face_id="f-2")
    keeping_none.forget("ada", ["f-1"])

    assert bucket.kept() == []
