"""Prefixes of Firehose: AWS's examples, and what AWS refuses.

https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
"""

from datetime import UTC, datetime

import pytest

from sightline_local.cloud.firehose.prefix import InvalidPrefix, read_prefixes

MOMENT = datetime(2018, 8, 27, 10, 30, tzinfo=UTC)
FAILED = "errors/!{firehose:error-output-type}/"


@pytest.mark.parametrize(
    ("prefix", "errors", "data_becomes", "errors_become"),
    [
        (None, None, "2018/08/27/10/", "processing-failed/2018/08/27/10/"),
        ("mine/", None, "mine/2018/08/27/10/", "mine/processing-failed/2018/08/27/10/"),
        (None, "failed/!{firehose:error-output-type}/", "2018/08/27/10/", "failed/processing-failed/"),
        ("mine/", "failed/", "mine/2018/08/27/10/", "failed/processing-failed/2018/08/27/10/"),
        (
            "year=!{timestamp:yyyy}/month=!{timestamp:MM}/",
            "errors/!{timestamp:'year='yyyy'/month='MM}/!{firehose:error-output-type}",
            "year=2018/month=08/",
            "errors/year=2018/month=08/processing-failed",
        ),
        ("!{timestamp:yyyy'-'MM'-'dd 'o''clock' HH}/", FAILED, "2018-08-27 o'clock 10/", None),
    ],
)
def test_prefixes_are_completed_and_evaluated_as_aws_shows(
    prefix: str | None, errors: str | None, data_becomes: str, errors_become: str | None
) -> None:
    data, failed = read_prefixes(prefix, errors, partitioned=False)
    assert data.evaluate(MOMENT, {}) == data_becomes
    if errors_become:
        assert failed.evaluate(MOMENT, {}, "processing-failed") == errors_become


def test_a_random_string_has_11_characters_and_is_new_each_time() -> None:
    data, _ = read_prefixes(
        "!{firehose:random-string}-!{firehose:random-string}/!{timestamp:yyyy}", FAILED, partitioned=False
    )
    first, second = data.evaluate(MOMENT, {}).partition("/")[0].split("-")
    assert len(first) == len(second) == 11
    assert first != second


def test_partition_keys_take_the_place_of_the_default_time() -> None:
    data, _ = read_prefixes(
        "dt=!{partitionKeyFromQuery:dt}/site=!{partitionKeyFromLambda:site}/", FAILED, partitioned=True
    )
    first, second = data.partition_keys()
    assert data.evaluate(MOMENT, {first: "2026-01-02", second: "north"}) == "dt=2026-01-02/site=north/"


@pytest.mark.parametrize(
    ("prefix", "errors", "partitioned", "problem"),
    [
        ("!{timestamp:yyyy}/", None, False, "ErrorOutputPrefix cannot be null"),
        ("a/", "!{timestamp:yyyy}/", False, "must contain at least one instance"),
        ("!{firehose:error-output-type}/", FAILED, False, "Prefix cannot contain"),
        ("a/!{timestamp", FAILED, False, "can only appear in"),
        ("!{camera:x}/", FAILED, False, "no namespace camera"),
        ("!{firehose:name}/", FAILED, False, "no value name"),
        ("!{timestamp:YYYY}/", FAILED, False, "does not know YYYY"),
        ("!{timestamp:'yyyy}/", FAILED, False, "is not closed"),
        ("!{partitionKeyFromQuery:x}/", FAILED, False, "when Dynamic Partitioning is disabled"),
        ("plain/", FAILED, True, "must contain partition keys"),
        ("!{partitionKeyFromQuery:x}/", None, True, "ErrorOutputPrefix cannot be null"),
        ("!{partitionKeyFromQuery:}/", FAILED, True, "needs a key"),
    ],
)
def test_what_aws_refuses_is_refused(
    prefix: str, errors: str | None, partitioned: bool, problem: str
) -> None:
    with pytest.raises(InvalidPrefix, match=problem):
        read_prefixes(prefix, errors, partitioned=partitioned)


def test_an_evaluated_prefix_has_at_most_512_characters() -> None:
    data, _ = read_prefixes("!{partitionKeyFromQuery:x}/", FAILED, partitioned=True)
    (key,) = data.partition_keys()
    assert data.evaluate(MOMENT, {key: "x" * 511})
    with pytest.raises(InvalidPrefix):
        data.evaluate(MOMENT, {key: "x" * 512})
