"""S3: objects, conditions, parts, and URLs that are signed for somebody without keys."""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

DOCS = "https://docs.aws.amazon.com/AmazonS3/latest"
SIGNED = f"{DOCS}/userguide/using-presigned-url.html"
pytestmark = pytest.mark.source(f"{DOCS}/API/API_GetObject.html")
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
BUCKET = "conformance-things"


@pytest.fixture(scope="module")
def template() -> str:
    return f"""
Resources:
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {BUCKET}}}}}
"""


@pytest.fixture
def s3(client: Client) -> Any:
    return client("s3")


def code(error: ClientError) -> tuple[str, int]:
    return str(error.response["Error"]["Code"]), error.response["ResponseMetadata"]["HTTPStatusCode"]


def fetch(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body, as a browser without keys gets them."""
    request = urllib.request.Request(url, data=data, headers=headers, method="PUT" if data else "GET")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.source(f"{DOCS}/API/API_PutObject.html")
def test_an_object_keeps_its_type_and_metadata_and_is_named_by_its_hash(s3: Any) -> None:
    put = s3.put_object(
        Bucket=BUCKET, Key="a/b.txt", Body=b"text", ContentType="text/plain", Metadata={"who": "me"}
    )
    assert put["ETag"] == f'"{hashlib.md5(b"text").hexdigest()}"'
    found = s3.get_object(Bucket=BUCKET, Key="a/b.txt")
    assert (found["ContentType"], found["Metadata"], found["Body"].read()) == (
        "text/plain",
        {"who": "me"},
        b"text",
    )


def test_what_is_not_there_is_named_so(s3: Any, refusal: Refusal) -> None:
    assert code(refusal(s3.get_object, Bucket=BUCKET, Key="nothing")) == ("NoSuchKey", 404)
    assert code(refusal(s3.get_object, Bucket="no-such-bucket-here", Key="a")) == ("NoSuchBucket", 404)
    assert code(refusal(s3.head_object, Bucket=BUCKET, Key="nothing")) == ("404", 404)


@pytest.mark.source(f"{DOCS}/API/API_DeleteObject.html")
def test_deleting_what_is_not_there_is_no_error(s3: Any) -> None:
    assert s3.delete_object(Bucket=BUCKET, Key="nothing")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_range_is_a_part_of_the_object(s3: Any, refusal: Refusal) -> None:
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    found = s3.get_object(Bucket=BUCKET, Key="range", Range="bytes=2-4")
    assert (found["Body"].read(), found["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    error = refusal(s3.get_object, Bucket=BUCKET, Key="range", Range="bytes=20-30")
    assert code(error) == ("InvalidRange", 416)


@pytest.mark.source(f"{DOCS}/userguide/conditional-writes.html")
def test_an_object_that_is_there_is_not_overwritten_when_that_is_asked(s3: Any, refusal: Refusal) -> None:
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
    error = refusal(s3.put_object, Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")
    assert code(error) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"1"


@pytest.mark.source(f"{DOCS}/API/API_ListObjectsV2.html")
def test_a_listing_is_sorted_in_pages_and_folds_at_the_delimiter(s3: Any) -> None:
    for key in ("list/b", "list/a", "list/sub/c", "list/sub/d"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    folded = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", Delimiter="/")
    assert [one["Key"] for one in folded["Contents"]] == ["list/a", "list/b"]
    assert folded["CommonPrefixes"] == [{"Prefix": "list/sub/"}]
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", MaxKeys=3)
    assert (page["IsTruncated"], page["KeyCount"]) == (True, 3)
    rest = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", ContinuationToken=page["NextContinuationToken"])
    assert [one["Key"] for one in rest["Contents"]] == ["list/sub/d"]


@pytest.mark.source(f"{DOCS}/userguide/qfacts.html")
def test_a_part_but_the_last_has_five_megabytes_at_least(s3: Any, refusal: Refusal) -> None:
    def upload(*bodies: bytes) -> Any:
        given = {"Bucket": BUCKET, "Key": "parts"}
        given["UploadId"] = s3.create_multipart_upload(**given)["UploadId"]
        parts = [
            {"PartNumber": number, "ETag": s3.upload_part(**given, PartNumber=number, Body=body)["ETag"]}
            for number, body in enumerate(bodies, 1)
        ]
        return given | {"MultipartUpload": {"Parts": parts}}

    small = refusal(s3.complete_multipart_upload, **upload(b"small", b"last"))
    assert code(small) == ("EntityTooSmall", 400)
    whole = s3.complete_multipart_upload(**upload(b"x" * 5 * 1024 * 1024, b"last"))
    assert whole["ETag"].endswith('-2"')


# ------------------------------------------------------------------------------- presigned URLs


@pytest.fixture
def reader(client_with: Callable[..., Client], s3: Any) -> Any:
    """S3 as a role that may read what lies under `open/`, with an object in and out of it."""
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"text")
    arn = f"arn:aws:s3:::{BUCKET}/open/*"
    return client_with({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": arn})("s3")


def signed(s3: Any, key: str, method: str = "get_object", seconds: int = 60, **more: Any) -> str:
    params = {"Bucket": BUCKET, "Key": key, **more}
    return str(s3.generate_presigned_url(method, Params=params, ExpiresIn=seconds))


@pytest.mark.source(SIGNED)
def test_a_signed_url_reads_with_the_rights_of_who_signed_it(reader: Any) -> None:
    assert fetch(signed(reader, "open/a")) == (200, b"text")
    status, body = fetch(signed(reader, "closed/a"))
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body


@pytest.mark.source(SIGNED)
def test_a_signed_url_writes_what_it_was_signed_for(reader: Any, s3: Any) -> None:
    url = signed(reader, "open/new", "put_object", ContentType="image/jpeg")
    assert fetch(url, b"picture", **{"Content-Type": "text/plain"})[0] == 403
    assert fetch(url, b"picture", **{"Content-Type": "image/jpeg"})[0] == 200
    assert s3.get_object(Bucket=BUCKET, Key="open/new")["Body"].read() == b"picture"


@pytest.mark.source(f"{DOCS}/API/sigv4-query-string-auth.html")
def test_a_signed_url_that_was_changed_is_refused(reader: Any) -> None:
    status, body = fetch(signed(reader, "open/a").replace("open/a", "open/b"))
    assert status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in body


@pytest.mark.source(f"{DOCS}/API/sigv4-query-string-auth.html")
def test_a_signed_url_lasts_as_long_as_it_says(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: past.replace(tzinfo=None))
    status, body = fetch(signed(reader, "open/a", seconds=60))
    assert status == 403
    assert b"Request has expired" in body


@pytest.mark.source(f"{DOCS}/userguide/bucket-policies.html")
def test_a_bucket_policy_that_denies_wins(s3: Any, reader: Any) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/open/secret",
    }
    s3.put_object(Bucket=BUCKET, Key="open/secret", Body=b"x")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    assert fetch(signed(reader, "open/a"))[0] == 200
    assert fetch(signed(reader, "open/secret"))[0] == 403
    s3.delete_bucket_policy(Bucket=BUCKET)
