"""A disk without room: one clear error for whoever needed it, and everything else goes on."""

import json
import logging
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses longer files with EFBIG, wherever they lie."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_object_without_room_is_one_clear_error_and_is_not_there(
    cloud: Any, caplog: pytest.LogCaptureFixture
) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="shelf")

    with files_of_at_most(1 << 20), pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="shelf", Key="large", Body=b"x" * (20 << 20))

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "no room left: File too large" in str(refused.value)
    assert {record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR} == {
        "s3 failed: no room left: File too large"
    }
    assert "Contents" not in s3.list_objects_v2(Bucket="shelf")
    s3.put_object(Bucket="shelf", Key="large", Body=b"x" * (20 << 20))


def test_a_log_without_room_is_said_once_and_costs_no_invocation(
    cloud: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline_local.functions.logs._RETRY_SECONDS", 0)
    cloud.function(
        "talk", "def handle(lines, c):\n    for _ in range(lines): print('x' * 1000)\n    return 1\n"
    )

    with files_of_at_most(100_000):
        answers = [cloud.functions.invoke("talk", b"200").payload for _ in range(3)]
    cloud.functions.invoke("talk", b"1")

    assert [json.loads(answer) for answer in answers] == [1, 1, 1]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "talk.log: File too large; what the function prints is lost meanwhile" in record.getMessage()
    lines = cloud.functions.log_path("talk").read_text().splitlines()
    assert " REPORT RequestId: " in lines[-1]
