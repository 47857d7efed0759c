"""The tasks of the compaction machine, called with what it sends, on moto's S3."""

import importlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.errors import ConflictError
from tests.builders import a_lambda_context

BUCKET = "sightline-lakebucket-22klstommdz5"
DAY = "sightings/dt=2026-11-20"
CONTEXT = a_lambda_context("plan_compaction", "us-east-1", "123456789012")
Event = Callable[[str], dict[str, Any]]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    settings = {
        "LAKE_BUCKET": BUCKET,
        "LAKE_COMPACT_ABOVE": "2",
        "LAKE_COMPACT_DAYS": "2",
        "LAKE_SCAN_LIMIT": "1000000000",
        "POWERTOOLS_METRICS_NAMESPACE": "Sightline",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def door(s3: Any) -> Iterator[Callable[[str], Callable[..., dict[str, Any]]]]:
    """The handler of a task, with nothing kept from another test."""
    plan, remove = (
        importlib.import_module(f"functions.compact_lake.{name}")
        for name in ("plan_compaction", "remove_compacted")
    )
    yield lambda name: {"plan_compaction": plan, "remove_compacted": remove}[name].lambda_handler
    plan.planning.cache_clear()
    remove.removal.cache_clear()


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"rows")


def keys(s3: Any, prefix: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in found]


def test_the_night_plans_days_of_many_files_and_lists_them(s3: Any, door: Any, event: Event) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    put(s3, *(f"sightings/dt={yesterday}/site=a/{number}" for number in range(3)))
    put(s3, f"{DAY}/site=a/1", f"{DAY}/site=a/2")
    given = event("plan_compaction/every_night")

    planned = door("plan_compaction")(given, CONTEXT)

    list_key = f"answers/compaction/{given['run']}/{yesterday}.json"
    assert planned == {"days": [{"day": yesterday, "files": 3, "size": 12, "list_key": list_key}]}
    assert keys(s3, "answers/") == [list_key]


def test_days_that_are_asked_for_are_planned(s3: Any, door: Any, event: Event) -> None:
    put(s3, f"{DAY}/site=a/1", f"{DAY}/site=a/2", "sightings/dt=2026-11-21/site=a/1")

    planned = door("plan_compaction")(event("plan_compaction/these_days"), CONTEXT)

    assert [each["day"] for each in planned["days"]] == ["2026-11-20"]


@pytest.fixture
def removal(s3: Any, door: Any, event: Event) -> dict[str, Any]:
    """A day of two files that was planned and written; what came after that lies there, too."""
    put(s3, f"{DAY}/site=a/1", f"{DAY}/site=a/2")
    planned = door("plan_compaction")(event("plan_compaction/these_days"), CONTEXT)
    given = event("remove_compacted/day") | {"list_key": planned["days"][0]["list_key"]}
    put(s3, *(url.partition(f"{BUCKET}/")[2] for url in given["written"]), f"{DAY}/site=a/late")
    return given


def answer(s3: Any, given: dict[str, Any], *uncovered: str) -> None:
    lines = [f'"s3://{BUCKET}/{key}"\n' for key in uncovered]
    key = given["uncovered"].partition(f"{BUCKET}/")[2]
    s3.put_object(Bucket=BUCKET, Key=key, Body="".join(['"file"\n', *lines]).encode())


def test_the_files_of_the_list_go_and_nothing_else(s3: Any, door: Any, removal: dict[str, Any]) -> None:
    answer(s3, removal, f"{DAY}/site=a/late")

    done = door("remove_compacted")(removal, CONTEXT)

    assert done == {"day": "2026-11-20", "written": 1, "removed": 2}
    assert keys(s3, DAY) == [removal["written"][0].partition(f"{BUCKET}/")[2], f"{DAY}/site=a/late"]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_file_that_is_not_covered_keeps_all(s3: Any, door: Any, removal: dict[str, Any]) -> None:
    answer(s3, removal, f"{DAY}/site=a/2")

    with pytest.raises(ConflictError, match="not written anew"):
        door("remove_compacted")(removal, CONTEXT)
    assert len(keys(s3, DAY)) == 4
