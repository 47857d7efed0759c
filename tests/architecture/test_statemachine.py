"""The state machine, its permissions and its tasks agree."""

import re
from pathlib import Path
from typing import Any

Machine = dict[str, Any]

# Permissions that AWS asks for beside the call itself.
IMPLIED = {"kinesisvideo:TagStream", "kinesis:AddTagsToStream", "iam:PassRole", "lambda:InvokeFunction"}


def _targets(state: dict[str, Any]) -> set[str]:
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    catches = [catcher["Next"] for catcher in state.get("Catch", [])]
    return {target for target in [state.get("Next"), state.get("Default"), *choices, *catches] if target}


def _actions(machine: Machine) -> set[str]:
    found = set()
    for state in machine["States"].values():
        sdk = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)", state.get("Resource", ""))
        if (sdk and sdk[1] != "lambda") or (sdk and sdk[2] != "invoke"):
            found.add(f"{sdk[1]}:{sdk[2][0].upper()}{sdk[2][1:]}")
    return found


def test_every_state_can_be_reached_and_every_target_exists(machine: Machine) -> None:
    reached, open_states = set(), {machine["StartAt"]}
    while open_states:
        name = open_states.pop()
        reached.add(name)
        open_states |= _targets(machine["States"][name]) - reached

    assert reached == set(machine["States"])


def test_every_task_has_a_time_limit(machine: Machine) -> None:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            assert "TimeoutSeconds" in state, name
    assert "TimeoutSeconds" in machine


def test_every_call_that_makes_or_removes_something_can_be_repeated(machine: Machine) -> None:
    for name, state in machine["States"].items():
        verb = state.get("Resource", "").rpartition(":")[2]
        caught = {error for catcher in state.get("Catch", []) for error in catcher["ErrorEquals"]}
        if verb.startswith("create"):
            assert any(
                error.endswith(("ResourceInUseException", "ResourceConflictException")) for error in caught
            ), name
        if verb.startswith(("delete", "stop")) and "aws-sdk" in state["Resource"]:
            assert any(error.endswith("ResourceNotFoundException") for error in caught), name


def test_whatever_fails_in_a_start_is_explained_and_undone(machine: Machine) -> None:
    starting = [
        "CreateVideoStream",
        "DescribeVideoStream",
        "CreateFaceStream",
        "DescribeFaceStream",
        "CreateMapping",
    ]
    starting += ["CreateProcessor", "MarkStarting", "StartProcessor", "DescribeProcessor", "MarkRunning"]
    for name in starting:
        everything = [c for c in machine["States"][name]["Catch"] if c["ErrorEquals"] == ["States.ALL"]]

        assert [catcher["Next"] for catcher in everything] == ["ExplainFailure"], name


def test_the_machine_may_do_exactly_what_its_states_do(machine: Machine, template: dict[str, Any]) -> None:
    policies = template["Resources"]["DeviceLifecycle"]["Properties"]["Policies"]
    allowed = set()
    for policy in policies:
        for statement in policy["Statement"]:
            actions = statement["Action"]
            allowed |= set(actions if isinstance(actions, list) else [actions])

    assert allowed - IMPLIED == _actions(machine)


def test_every_substitution_is_used_and_given(template: dict[str, Any], repository: Path) -> None:
    text = (repository / "statemachines" / "device_lifecycle.asl.yaml").read_text()

    used = set(re.findall(r"\$\{(\w+)\}", text))

    assert used == set(template["Resources"]["DeviceLifecycle"]["Properties"]["DefinitionSubstitutions"])


def test_no_yaml_alias_stands_in_a_definition(repository: Path) -> None:
    for path in (repository / "statemachines").glob("*.yaml"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not re.search(r":\s+[&*]\w", line), (
                f"{path.name}:{number}: CloudFormation reads no aliases"
            )
