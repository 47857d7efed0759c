"""Executions of state machines over a restart: the ended stay described, the running begin again."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.local.state.conftest import Stack

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
WAITS = {
    "StartAt": "A",
    "States": {"A": {"Type": "Wait", "Seconds": 600, "Next": "B"}, "B": {"Type": "Succeed"}},
}
FAILS = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "Sad", "Cause": "rain"}}}


@pytest.fixture
def machine(stack: Stack) -> Callable[[str, dict[str, Any]], str]:
    stack.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(TRUST))

    def make(name: str, definition: dict[str, Any]) -> str:
        return str(
            stack.client("stepfunctions").create_state_machine(
                name=name,
                definition=json.dumps(definition),
                roleArn="arn:aws:iam::123456789012:role/machine",
            )["stateMachineArn"]
        )

    return make


def settled(stack: Stack, arn: str) -> dict[str, Any]:
    for _ in range(200):
        found: dict[str, Any] = stack.client("stepfunctions").describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_an_execution_that_is_over_stays_described(stack: Stack, machine: Callable[..., str]) -> None:
    states = stack.client("stepfunctions")
    start = {"stateMachineArn": machine("fails", FAILS), "name": "one", "input": '{"$moment": "x"}'}
    arn = states.start_execution(**start)["executionArn"]
    before = settled(stack, arn)
    history = states.get_execution_history(executionArn=arn)["events"]

    stack.restart()

    states = stack.client("stepfunctions")
    after = states.describe_execution(executionArn=arn)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}
    assert (after["status"], after["error"], after["cause"]) == ("FAILED", "Sad", "rain")
    assert states.get_execution_history(executionArn=arn)["events"] == history
    assert [
        each["name"]
        for each in states.list_executions(stateMachineArn=start["stateMachineArn"])["executions"]
    ] == ["one"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**start)


def test_an_execution_that_ran_begins_again_and_ends(stack: Stack, machine: Callable[..., str]) -> None:
    states = stack.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine("waits", WAITS), name="one", input='{"a": 1}')[
        "executionArn"
    ]
    started = states.describe_execution(executionArn=arn)["startDate"]

    stack.restart()

    again = stack.client("stepfunctions").describe_execution(executionArn=arn)
    assert (again["status"], again["input"], again["startDate"]) == ("RUNNING", '{"a": 1}', started)
    stack.options.clock.advance(timedelta(seconds=601))
    assert settled(stack, arn)["status"] == "SUCCEEDED"
    stack.restart()
    assert json.loads(settled(stack, arn)["output"]) == {"a": 1}
