"""EventBridge Scheduler: state machines as targets."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sightline_local.clock import Clock

GUIDE = "https://docs.aws.amazon.com/scheduler/latest/UserGuide"
TRUST = {"Principal": {"Service": "scheduler.amazonaws.com"}}
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def machine(client: Client, role_with: Callable[..., str]) -> str:
    role = role_with(trust={"Principal": {"Service": "states.amazonaws.com"}})
    definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    made = client("stepfunctions").create_state_machine(
        name="nightly", definition=json.dumps(definition), roleArn=role
    )
    return str(made["stateMachineArn"])


@pytest.fixture
def scheduled(client: Client, machine: str) -> Iterator[Callable[..., None]]:
    scheduler = client("scheduler")

    def create(role: str, **target: Any) -> None:
        scheduler.create_schedule(
            Name="night",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": machine, "RoleArn": role, **target},
        )

    yield create
    scheduler.delete_schedule(Name="night")


@pytest.fixture
def inputs(client: Client, machine: str) -> Callable[[], list[Any]]:
    """What executions of the machine were started with."""
    states = client("stepfunctions")

    def inputs() -> list[Any]:
        found = states.list_executions(stateMachineArn=machine)["executions"]
        arns = [each["executionArn"] for each in found]
        return [json.loads(states.describe_execution(executionArn=arn)["input"]) for arn in arns]

    return inputs


@pytest.fixture
def starter(role_with: Callable[..., str], machine: str) -> str:
    return role_with({"Effect": "Allow", "Action": "states:StartExecution", "Resource": machine}, trust=TRUST)


@pytest.mark.source(f"{GUIDE}/managing-targets-templated.html")
def test_a_schedule_starts_an_execution_with_its_input(
    scheduled: Callable[..., None],
    starter: str,
    inputs: Callable[[], list[Any]],
    clock: Clock,
    until: Callable[..., Any],
) -> None:
    scheduled(starter, Input='{"at": "<aws.scheduler.scheduled-time>"}')

    clock.advance(timedelta(days=1))

    (given,) = until(inputs)
    assert given["at"].endswith("Z")


@pytest.mark.source(f"{GUIDE}/setting-up.html#setting-up-execution-role")
def test_a_role_that_may_not_start_the_machine_starts_nothing_and_the_event_is_kept(
    client: Client,
    scheduled: Callable[..., None],
    role_with: Callable[..., str],
    inputs: Callable[[], list[Any]],
    clock: Clock,
) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bury = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": arn}
    before = inputs()
    scheduled(role_with(bury, trust=TRUST), Input="{}", DeadLetterConfig={"Arn": arn})

    clock.advance(timedelta(days=1))

    (buried,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert buried["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert inputs() == before
