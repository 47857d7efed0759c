"""Filter criteria: JSON by JSON patterns, plain text by plain texts."""

import json
from typing import Any

import pytest

from sightline_local.event_pattern import InvalidPattern
from sightline_local.triggers.filters import Filters, check_filters


def filters(*patterns: Any, key: str = "body") -> Filters:
    return Filters([json.dumps(pattern) for pattern in patterns], key)


def test_without_filters_everything_passes() -> None:
    assert filters().passes(b"\xff")


def test_a_pattern_that_says_nothing_of_the_key_lets_everything_pass() -> None:
    assert filters({}, {"body": {"a": [1]}}).passes("anything")


def test_json_is_not_matched_by_a_plain_text_nor_the_other_way() -> None:
    assert not filters({"body": ["{}"]}).passes("{}")
    assert not filters({"body": {"a": [{"exists": False}]}}).passes("plain")


def test_bytes_that_are_no_text_match_no_pattern() -> None:
    assert not filters({"data": {"a": [1]}}, key="data").passes(b"\xff\x00")


def test_a_list_matches_when_one_of_its_items_does() -> None:
    assert filters({"body": {"a": [1]}}).passes('[{"a": 0}, {"a": 1}]')


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("plain", "sqs"),
        ("[]", "sqs"),
        ('{"data": {"a": [1]}}', "sqs"),
        ('{"body": {"a": [1]}}', "kinesis"),
        ('{"partitionKey": ["a"]}', "kinesis"),
        ('{"data": ["a"]}', "kinesis"),
        ('{"data": {"a": [{"wildcard": "*"}]}}', "kinesis"),
        ('{"data": {"a": [{"cidr": "10.0.0.0/8"}]}}', "kinesis"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(text: str, service: str) -> None:
    with pytest.raises(InvalidPattern):
        check_filters([text], service)


def test_lists_without_end_match_nothing_and_break_nothing() -> None:
    deep = "[" * 5_000 + "]" * 5_000
    shallower = "[" * 400 + "]" * 400

    assert not filters({"body": {"a": [1]}}).passes(deep)
    assert not filters({"body": {"a": [1]}}).passes(shallower)
