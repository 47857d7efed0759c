"""Presigned S3 URLs through the gateway: whose they are, how long they last, what they let through."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

OBJECTS = "arn:aws:s3:::photos/*"
Signed = Callable[..., str]


@pytest.fixture
def signed(cloud: Any) -> Signed:
    """Make a URL with keys of a role that may read and write the objects of the bucket."""
    cloud.client("s3").create_bucket(Bucket="photos")
    may = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": OBJECTS}
    lent = cloud.session(may)

    def signed(
        operation: str, key: str = "a b/ü+1.jpg", version: str = "s3v4", seconds: int = 60, **params: Any
    ) -> str:
        client: Any = boto3.client(  # type: ignore[call-overload]
            "s3",
            endpoint_url=cloud.clients.endpoint_url,
            region_name="us-east-1",
            config=Config(signature_version=version, s3={"addressing_style": "path"}),
            **lent.for_boto3(),
        )
        given = {"Bucket": "photos", "Key": key, **params}
        return str(client.generate_presigned_url(operation, Params=given, ExpiresIn=seconds))

    return signed


def request(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data=body, method=method, headers=named)
        ) as answer:
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def test_an_upload_and_a_download_need_no_keys(signed: Signed) -> None:
    assert request(signed("put_object"), "PUT", b"photo") == (200, b"")
    assert request(signed("get_object")) == (200, b"photo")


def test_a_header_that_was_signed_must_be_sent_as_it_was(signed: Signed) -> None:
    url = signed("put_object", ContentType="image/jpeg")

    assert request(url, "PUT", b"photo", Content_Type="image/jpeg")[0] == 200
    status, said = request(url, "PUT", b"page", Content_Type="text/html")
    assert (status, b"SignatureDoesNotMatch" in said) == (403, True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/photos/a", "/photos/b"),
        ("X-Amz-Expires=60", "X-Amz-Expires=600"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
    ],
)
def test_a_url_that_was_changed_is_refused(signed: Signed, before: str, after: str) -> None:
    url = signed("put_object", key="a")
    assert before in url

    status, said = request(url.replace(before, after), "PUT", b"x")

    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in said) == (403, True)


def test_a_url_for_reading_does_not_write(signed: Signed) -> None:
    assert request(signed("get_object"), "PUT", b"x")[0] == 403


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_url_ends(signed: Signed, version: str) -> None:
    url = signed("get_object", version=version, seconds=1)
    time.sleep(2.1)

    status, said = request(url)

    assert (status, b"Request has expired" in said) == (403, True)


def test_no_url_lasts_longer_than_a_week(signed: Signed) -> None:
    status, said = request(signed("get_object", seconds=604801))

    assert (status, b"AuthorizationQueryParametersError" in said) == (400, True)


def test_a_url_can_do_no_more_than_its_signer(cloud: Any, signed: Signed) -> None:
    cloud.client("s3").put_object(Bucket="photos", Key="a", Body=b"x")

    status, said = request(signed("delete_object", key="a"), "DELETE")

    assert (status, b"s3:DeleteObject" in said) == (403, True)


def test_version_2_does_not_reach_a_bucket_that_kms_encrypts(cloud: Any, signed: Signed) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    cloud.client("s3").put_bucket_encryption(
        Bucket="photos", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    request(signed("put_object"), "PUT", b"x")

    assert b"Signature Version 4" in request(signed("get_object", version="s3"))[1]
    assert request(signed("get_object")) == (200, b"x")
