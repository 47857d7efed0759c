"""What the lake's bucket promises: the fake of the unit tests, and S3."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.errors import RejectedError, UnavailableError
from sightline.lake.s3 import S3LakeFiles
from sightline.lake.service import LakeFiles
from tests.fakes.aws_clients import client_error
from tests.fakes.lake import BUCKET, FakeLakeFiles

NOW = datetime(2026, 11, 22, 2, 20, tzinfo=UTC)
DAY = "sightings/dt=2026-11-21"
ANSWER = f"s3://{BUCKET}/answers/check.csv"
Put = Callable[[str], None]


@pytest.fixture(params=["fake", "s3"])
def lake(request: pytest.FixtureRequest) -> Iterator[tuple[LakeFiles, Put]]:
    if request.param == "fake":
        fake = FakeLakeFiles()
        fake.answers[ANSWER] = [f"s3://{BUCKET}/a", f's3://{BUCKET}/with "quotes", and a comma']
        yield fake, lambda key: void(fake.put(key, NOW, size=3))
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        body = f'"file"\n"s3://{BUCKET}/a"\n"s3://{BUCKET}/with ""quotes"", and a comma"\n'
        client.put_object(Bucket=BUCKET, Key="answers/check.csv", Body=body.encode())
        yield (
            S3LakeFiles(client, BUCKET),
            lambda key: void(client.put_object(Bucket=BUCKET, Key=key, Body=b"row")),
        )


def void(_value: object) -> None:
    """What a test has no use for."""


def test_the_files_of_a_day_are_those_of_all_its_sites(lake: tuple[LakeFiles, Put]) -> None:
    files, put = lake
    for key in (f"{DAY}/site=a/1", f"{DAY}/2", "sightings/dt=2026-11-2/3", "errors/dt=2026-11-21/4"):
        put(key)

    assert sorted(each.key for each in files.of_day("2026-11-21")) == [f"{DAY}/2", f"{DAY}/site=a/1"]
    assert [each.size for each in files.of_day("2026-11-21")] == [3, 3]
    assert files.of_day("2026-11-22") == []


def test_a_list_is_read_as_it_was_written(lake: tuple[LakeFiles, Put]) -> None:
    files, put = lake
    put(f"{DAY}/1")
    listed = files.of_day("2026-11-21")

    assert files.read_list(files.write_list("night/2026-11-21", listed)) == listed


def test_removing_takes_all_however_many_and_can_be_repeated(lake: tuple[LakeFiles, Put]) -> None:
    files, put = lake
    for number in range(1001):
        put(f"{DAY}/{number}")
    listed = files.of_day("2026-11-21")
    put(f"{DAY}/late")

    files.remove(listed)
    files.remove(listed)

    assert [each.key for each in files.of_day("2026-11-21")] == [f"{DAY}/late"]


def test_an_answer_is_read_without_the_name_of_its_column(lake: tuple[LakeFiles, Put]) -> None:
    files, _put = lake

    assert files.first_column(ANSWER) == [f"s3://{BUCKET}/a", f's3://{BUCKET}/with "quotes", and a comma']


def test_a_url_of_another_bucket_has_no_key(lake: tuple[LakeFiles, Put]) -> None:
    files, _put = lake

    assert files.key_of(f"s3://{BUCKET}/a/b") == "a/b"
    with pytest.raises(RejectedError, match="is not in lake"):
        files.key_of("s3://elsewhere/a/b")


class _Refusing:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    def delete_objects(self, **_given: Any) -> dict[str, Any]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    "answer",
    [{"Errors": [{"Key": "k", "Code": "InternalError"}]}, client_error("s3", "DeleteObjects", "SlowDown")],
)
def test_what_s3_does_not_remove_is_tried_again(answer: Any) -> None:
    files = FakeLakeFiles()
    file = files.put("k", NOW)

    with pytest.raises(UnavailableError):
        S3LakeFiles(_Refusing(answer), BUCKET).remove([file])
