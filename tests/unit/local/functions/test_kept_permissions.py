"""Permissions that were added at run time outlive the runtime."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline_local.functions.permissions import Permissions
from sightline_local.state import Facts

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts.sqlite")
    yield facts
    facts.close()


def started(facts: Facts) -> Permissions:
    """As a start of the runtime does it, with one statement of the template."""
    permissions = Permissions(facts)
    permissions.add(ARN, "template", action="lambda:InvokeFunction", principal="sns.amazonaws.com")
    permissions.restore()
    permissions.begin()
    return permissions


def test_a_statement_that_was_added_at_run_time_is_there_again(facts: Facts) -> None:
    started(facts).add(ARN, "mine", action="lambda:InvokeFunction", principal="s3.amazonaws.com")

    again = started(facts)

    again.check(ARN, "s3.amazonaws.com", None)
    assert again.has(ARN, "template")


def test_a_statement_that_was_removed_stays_removed(facts: Facts) -> None:
    before = started(facts)
    before.add(ARN, "mine", action="lambda:InvokeFunction", principal="s3.amazonaws.com")
    before.remove(ARN, "mine")

    assert not started(facts).has(ARN, "mine")


def test_the_statements_of_the_template_are_no_facts(facts: Facts) -> None:
    started(facts)

    assert facts.all("lambda.permission") == []
