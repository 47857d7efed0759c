"""Filter policies: every operator of SNS, in both scopes."""

import json
from typing import Any

import pytest

from sightline_local.cloud.sns.filter_policy import attributes_match, body_matches

ATTRIBUTES = {
    "site": {"Type": "String", "Value": "Gate 3"},
    "severity": {"Type": "String", "Value": "high"},
    "similarity": {"Type": "Number", "Value": "97.25"},
    "lists": {"Type": "String.Array", "Value": '["block", "vip", 7, true, null]'},
    "picture": {"Type": "Binary", "Value": "AAAA"},
}


@pytest.mark.parametrize(
    ("policy", "passes"),
    [
        ({}, True),
        ({"severity": ["high"]}, True),
        ({"severity": ["low", "high"]}, True),
        ({"severity": ["low"]}, False),
        ({"severity": ["High"]}, False),
        ({"severity": ["high"], "site": ["Gate 3"]}, True),
        ({"severity": ["high"], "site": ["Gate 4"]}, False),
        ({"absent": ["x"]}, False),
        ({"similarity": [97.25]}, True),
        ({"similarity": ["97.25"]}, False),
        ({"severity": [97.25]}, False),
        ({"similarity": [{"numeric": [">=", 97]}]}, True),
        ({"similarity": [{"numeric": [">", 95, "<", 97.25]}]}, False),
        ({"severity": [{"numeric": [">", 1]}]}, False),
        ({"site": [{"prefix": "Gate"}]}, True),
        ({"site": [{"suffix": "3"}]}, True),
        ({"site": [{"suffix": "4"}]}, False),
        ({"severity": [{"equals-ignore-case": "HIGH"}]}, True),
        ({"site": [{"anything-but": {"wildcard": "G*3"}}]}, False),
        ({"site": [{"anything-but": {"wildcard": "G?te 3"}}]}, True),
        ({"severity": [{"anything-but": ["low", "medium"]}]}, True),
        ({"severity": [{"anything-but": "high"}]}, False),
        ({"severity": [{"anything-but": {"prefix": "hi"}}]}, False),
        ({"severity": [{"anything-but": {"suffix": ["x", "gh"]}}]}, False),
        ({"absent": [{"anything-but": ["x"]}]}, False),
        ({"severity": [{"exists": True}]}, True),
        ({"severity": [{"exists": False}]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"absent": [{"exists": True}]}, False),
        ({"lists": ["vip"]}, True),
        ({"lists": ["staff"]}, False),
        ({"lists": [7]}, True),
        ({"lists": [True]}, True),
        ({"lists": [None]}, True),
        ({"lists": [1]}, False),
        ({"lists": [{"anything-but": ["vip"]}]}, False),
        ({"picture": ["AAAA"]}, False),
        ({"$or": [{"severity": ["low"]}, {"site": ["Gate 3"]}]}, True),
        ({"$or": [{"severity": ["low"]}, {"site": ["Gate 4"]}]}, False),
    ],
)
def test_attributes(policy: dict[str, Any], passes: bool) -> None:
    assert attributes_match(policy, ATTRIBUTES) is passes


BODY = json.dumps(
    {
        "device": {"site": "Gate 3", "id": "d"},
        "people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 20}],
        "similarity": 97.25,
        "console_url": None,
    }
)


@pytest.mark.parametrize(
    ("policy", "passes"),
    [
        ({"device": {"site": ["Gate 3"]}}, True),
        ({"device": {"site": ["Gate 4"]}}, False),
        ({"device": {"absent": [{"exists": False}]}}, True),
        ({"nobody": {"site": ["Gate 3"]}}, False),
        ({"nobody": {"site": [{"exists": False}]}}, True),
        ({"people": {"name": ["Bob"]}}, True),
        ({"people": {"name": ["Eve"]}}, False),
        ({"similarity": [{"numeric": [">", 97]}]}, True),
        ({"console_url": [None]}, True),
        ({"similarity": [None]}, False),
    ],
)
def test_bodies(policy: dict[str, Any], passes: bool) -> None:
    assert body_matches(policy, BODY) is passes


@pytest.mark.parametrize("text", ["no json", "[1]", '"text"', ""])
def test_a_body_that_is_no_object_concerns_nobody_who_filters(text: str) -> None:
    assert not body_matches({"a": [{"exists": False}]}, text)
