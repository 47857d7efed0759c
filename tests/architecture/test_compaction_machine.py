"""The machine that compacts the lake: what it writes, what it may do, and what becomes of failures."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

Machine = dict[str, Any]
FILE = Path("statemachines", "compact_lake.asl.yaml")


@pytest.fixture(scope="module")
def compaction(repository: Path) -> Machine:
    parsed: Machine = yaml.safe_load((repository / FILE).read_text())
    return parsed


def of_a_day(machine: Machine) -> dict[str, Any]:
    states: dict[str, Any] = machine["States"]["CompactDays"]["ItemProcessor"]["States"]
    return states


def every_state(machine: Machine) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from machine["States"].items()
    yield from of_a_day(machine).items()


def test_a_day_is_written_with_every_column_of_the_table_in_its_order(
    compaction: Machine, template: dict[str, Any]
) -> None:
    tree = sqlglot.parse_one(of_a_day(compaction)["WriteDay"]["Arguments"]["QueryString"], read="athena")
    assert isinstance(tree, exp.Insert)
    table = template["Resources"]["LakeTable"]["Properties"]["TableInput"]
    columns = [each["Name"] for each in table["StorageDescriptor"]["Columns"]]

    assert tree.this.name == table["Name"]
    assert [each.name for each in tree.expression.expressions] == [*columns, "dt"]


def test_every_task_has_a_time_limit(compaction: Machine) -> None:
    assert "TimeoutSeconds" in compaction
    for name, state in every_state(compaction):
        assert ("TimeoutSeconds" in state) == (state["Type"] == "Task"), name


def test_whatever_fails_for_a_day_leaves_the_other_days_alone(compaction: Machine) -> None:
    for name, state in of_a_day(compaction).items():
        if state["Type"] == "Task":
            assert [each["Next"] for each in state["Catch"]] == ["DayFailed"], name
            assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"], name


def test_files_are_removed_last_and_only_after_the_check(compaction: Machine) -> None:
    states = of_a_day(compaction)
    order, name = [], compaction["States"]["CompactDays"]["ItemProcessor"]["StartAt"]
    while name:
        order.append(name)
        name = states[name].get("Next", "")

    assert order == ["WriteDay", "ReadManifest", "FindUncovered", "RemoveCompacted"]


def test_a_query_that_failed_is_not_asked_again_at_once(compaction: Machine) -> None:
    """Each time would leave one more copy of the day."""
    for name in ("WriteDay", "FindUncovered"):
        retried = {error for each in of_a_day(compaction)[name]["Retry"] for error in each["ErrorEquals"]}

        assert not retried & {"States.ALL", "States.TaskFailed", "States.Timeout"}, name


def test_the_machine_itself_removes_nothing(template: dict[str, Any]) -> None:
    allowed = set()
    for policy in template["Resources"]["CompactLake"]["Properties"]["Policies"]:
        for statement in policy["Statement"]:
            actions = statement["Action"]
            allowed |= set(actions if isinstance(actions, list) else [actions])

    assert not [each for each in allowed if "Delete" in each or "Update" in each]


def test_every_substitution_is_used_and_given(template: dict[str, Any], repository: Path) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", (repository / FILE).read_text()))

    assert used == set(template["Resources"]["CompactLake"]["Properties"]["DefinitionSubstitutions"])
