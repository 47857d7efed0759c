"""Whatever a policy of template.yaml grants, the local runtime knows how to check."""

import re
from pathlib import Path

import pytest

from sightline_local.iam.arns import Place
from sightline_local.iam.resources import has_rule, needs

_ACTION = re.compile(r"\b(?P<action>[a-z][a-z-]*:[A-Z]\w+)\b")
_PLACE = Place("123456789012", "us-east-1")
# Of services that are not here: the containers of ECS and the Flink application run on AWS alone.
_ELSEWHERE = ("ecr:", "kinesisanalytics:")


def granted(template: Path) -> set[str]:
    lines = [line for line in template.read_text().splitlines() if "Action:" in line]
    return {found["action"] for line in lines for found in _ACTION.finditer(line)}


def test_every_action_that_the_template_grants_has_a_rule(repository: Path) -> None:
    actions = granted(repository / "template.yaml")

    assert len(actions) > 20
    missing = sorted(action for action in actions if not has_rule(action))
    assert [action for action in missing if not action.startswith(_ELSEWHERE)] == []


def test_an_action_without_a_rule_needs_nothing_that_could_be_granted() -> None:
    assert needs(_PLACE, "dynamodb:CreateGlobalTable", {}) is None


@pytest.mark.parametrize("action", ["dynamodb:GetItem", "lambda:InvokeFunction", "iam:PassRole"])
def test_the_search_finds_the_actions(repository: Path, action: str) -> None:
    assert action in granted(repository / "template.yaml")
