"""What docs/streaming.md shows is true: the message of a crowd, filter policies, questions, columns."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from sightline.crowding.model import notification_of
from sightline_local.cloud.sns.filter_policy import attributes_match
from tests.unit.crowding.builders import a_count, a_watched_device

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "streaming.md").read_text()
CROWD = notification_of(a_watched_device(), a_count(1))


def as_sns_has_them(attributes: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {
        name: {"Type": "String" if isinstance(value, str) else "Number", "Value": str(value)}
        for name, value in attributes.items()
    }


def test_the_page_shows_the_members_of_the_message() -> None:
    (text,) = re.findall(r"```json\n(.+?)\n```", PAGE, re.DOTALL)
    shown, body = json.loads(text), json.loads(CROWD.body)

    assert shown.keys() == body.keys()
    assert shown["device"].keys() == body["device"].keys()
    assert shown["crowd"].keys() == body["crowd"].keys()
    assert {name for name in shown if shown[name] is None} == {name for name in body if body[name] is None}


@pytest.mark.parametrize(("number", "expected"), [(0, {"a crowd"}), (1, {"somebody"})])
def test_a_policy_of_the_page_lets_through_what_it_says(number: int, expected: set[str]) -> None:
    policy = [json.loads(each) for each in re.findall(r'`(\{"kind".+?\})`', PAGE)][number]
    messages = {
        "a crowd": dict(CROWD.attributes),
        "somebody": {"device_id": "gate-3", "severity": "high", "similarity": 99},
    }

    found = {name for name, each in messages.items() if attributes_match(policy, as_sns_has_them(each))}

    assert found == expected


def test_the_page_has_the_question_of_every_file() -> None:
    for file in (ROOT / "analytics" / "athena" / "streaming").glob("*.sql"):
        question = file.read_text().splitlines()[0].removeprefix("-- ").partition("?")[0] + "?"

        assert f"| `{file.stem}` | {question} |" in PAGE


def test_the_page_has_every_member_that_is_a_column() -> None:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    table = template["Resources"]["StreamingResultsTable"]["Properties"]["TableInput"]

    missing = [
        each["Name"] for each in table["StorageDescriptor"]["Columns"] if f"`{each['Name']}`" not in PAGE
    ]

    assert missing == []


def test_the_page_tells_the_defaults_of_the_parameters() -> None:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())

    for name in ("StreamingSql", "StreamingSqlLateSeconds", "CrowdingFloor"):
        default = template["Parameters"][name]["Default"]
        assert re.search(rf"^\| `{name}` \| `?{default}`? \|", PAGE, re.MULTILINE), name
