"""Event patterns: what matches, and what is no pattern."""

from typing import Any

import pytest

from sightline_local.event_pattern import EventPattern, InvalidPattern, check_pattern

OPERATORS = frozenset(("prefix", "anything-but", "numeric", "exists", "$or", "equals-ignore-case"))


def matches(pattern: dict[str, Any], event: Any) -> bool:
    return EventPattern(pattern).matches(event)


def test_every_key_of_a_pattern_must_match() -> None:
    assert matches({"a": [1], "b": ["x"]}, {"a": 1, "b": "x", "c": 0})
    assert not matches({"a": [1], "b": ["x"]}, {"a": 1, "b": "y"})


def test_an_object_below_a_list_matches_when_one_of_its_items_does() -> None:
    event = {"faces": [{"id": 1}, {"id": 2}]}

    assert matches({"faces": {"id": [2]}}, event)
    assert not matches({"faces": {"id": [3]}}, event)


def test_null_is_not_the_same_as_nothing() -> None:
    assert matches({"a": [None]}, {"a": None})
    assert not matches({"a": [None]}, {})


def test_truth_is_not_one() -> None:
    assert not matches({"a": [1]}, {"a": True})


def test_or_needs_one_of_its_alternatives() -> None:
    pattern = {"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}

    assert matches(pattern, {"b": 2, "c": 3})
    assert not matches(pattern, {"b": 3, "c": 3})


def test_anything_but_wants_the_key_to_be_there() -> None:
    assert not matches({"a": [{"anything-but": ["x"]}]}, {})
    assert matches({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "y"})


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"data": {"a": [1, "b", None, True]}},
        {"data": {"a": [{"numeric": [">", 0, "<=", 5.5]}]}},
        {"a": [{"anything-but": {"prefix": "x"}}, {"exists": False}]},
        {"$or": [{"a": [1]}, {"b": [{"equals-ignore-case": "x"}]}]},
    ],
)
def test_a_pattern_is_taken(pattern: Any) -> None:
    check_pattern(pattern, operators=OPERATORS)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ([], "JSON object"),
        ({"a": 1}, "a must be an object, or a list"),
        ({"a": {"b": []}}, r"a\.b must be an object, or a list"),
        ({"a": [[1]]}, "a has a list for a rule"),
        ({"a": [{"suffix": "x"}]}, "a uses suffix, which is not known here"),
        ({"a": [{"prefix": 1}]}, "a has no operand that prefix takes"),
        ({"a": [{"exists": "yes"}]}, "a has no operand that exists takes"),
        ({"a": [{"numeric": [">"]}]}, "a has no operand that numeric takes"),
        ({"a": [{"numeric": ["!", 1]}]}, "a has no operand that numeric takes"),
        ({"a": [{"anything-but": []}]}, "a has no operand that anything-but takes"),
        ({"a": [{"anything-but": {}}]}, "a has no operand that anything-but takes"),
        ({"a": [{"prefix": "x", "exists": True}]}, "one operator"),
        ({"$or": [{"a": [1]}]}, "two alternatives"),
        ({"$or": [{"a": [1]}, {"b": 2}]}, r"\$or\.b must be"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: Any, problem: str) -> None:
    with pytest.raises(InvalidPattern, match=problem):
        check_pattern(pattern, operators=OPERATORS)
