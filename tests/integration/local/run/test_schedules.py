"""EventBridge Scheduler: its API, its role, its retries and its dead-letter queue."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock, Timetable
from sightline_local.cloud.scheduler import SchedulerService

ACCOUNT, REGION = "123456789012", "us-east-1"
TRUST = {"Principal": {"Service": "scheduler.amazonaws.com"}}
ECHO = """
import boto3, json, os
def handle(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""


class Schedules:
    """The small cloud with a scheduler whose clock the test moves."""

    def __init__(self, cloud: Any, until: Callable[[Callable[[], Any]], Any]) -> None:
        self.cloud = cloud
        self.until = until
        self.clock = Clock()
        self.timetable = Timetable(self.clock)
        self.service = SchedulerService(REGION, ACCOUNT, cloud.sessions, cloud.clients, self.timetable)
        cloud.gateway.services["scheduler"] = self.service
        self.api = cloud.client("scheduler")
        self.seen = self.queue("seen")
        queue = cloud.arn("sqs", "seen")
        self.function = cloud.function(
            "echo",
            ECHO,
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue},
            environment={"SEEN": self.seen},
        )

    def queue(self, name: str) -> str:
        return str(self.cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def role(self, *actions: str, name: str = "schedules") -> str:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        return str(self.cloud.role(*([statement] if actions else []), name=name, trust=TRUST))

    def create(self, role_arn: str, expression: str = "rate(1 minute)", **target: Any) -> str:
        answer = self.api.create_schedule(
            Name="s",
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": self.function, "RoleArn": role_arn, **target},
        )
        return str(answer["ScheduleArn"])

    def messages(self, url: str) -> list[Any]:
        answer = self.cloud.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def next(self, url: str) -> Any:
        return self.until(lambda: self.messages(url))[0]

    def later(self, **by: int) -> None:
        self.clock.advance(timedelta(**by))


@pytest.fixture
def schedules(cloud: Any, until: Callable[[Callable[[], Any]], Any]) -> Iterator[Schedules]:
    made = Schedules(cloud, until)
    yield made
    made.service.close()
    made.timetable.close()


def test_a_schedule_calls_its_function_under_its_role(schedules: Schedules) -> None:
    arn = schedules.create(schedules.role("lambda:InvokeFunction"))
    assert arn == "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"

    schedules.later(minutes=1)

    event = json.loads(schedules.next(schedules.seen)["Body"])
    assert (event["source"], event["detail"], event["resources"]) == ("aws.scheduler", "{}", [arn])


def test_the_input_may_name_the_time_and_the_schedule(schedules: Schedules) -> None:
    text = '{"at": "<aws.scheduler.scheduled-time>", "n": "<aws.scheduler.attempt-number>"}'
    schedules.create(schedules.role("lambda:InvokeFunction"), Input=text)
    expected = schedules.clock.now() + timedelta(minutes=1)

    schedules.later(minutes=1)

    event = json.loads(schedules.next(schedules.seen)["Body"])
    assert event["n"] == "1"
    assert abs((expected - expected.fromisoformat(event["at"])).total_seconds()) < 5


def test_minutes_that_passed_at_once_are_one_invocation(schedules: Schedules) -> None:
    schedules.create(schedules.role("lambda:InvokeFunction"))
    schedules.later(hours=3)
    schedules.next(schedules.seen)
    assert schedules.messages(schedules.seen) == []
    schedules.later(minutes=1)
    schedules.next(schedules.seen)


def test_a_role_that_may_not_invoke_ends_in_the_dead_letter_queue_at_once(schedules: Schedules) -> None:
    dead = schedules.queue("dead")
    role = schedules.role("sqs:SendMessage")
    schedules.create(role, Input="{}", DeadLetterConfig={"Arn": schedules.cloud.arn("sqs", "dead")})

    schedules.later(minutes=1)

    told = schedules.next(dead)
    attributes = {name: each["StringValue"] for name, each in told["MessageAttributes"].items()}
    assert (told["Body"], attributes["ERROR_CODE"]) == ("{}", "AccessDeniedException")
    assert "lambda:InvokeFunction" in attributes["ERROR_MESSAGE"]
    assert attributes["RETRY_ATTEMPTS"] == "0"


def test_a_disabled_or_deleted_schedule_calls_nobody(schedules: Schedules) -> None:
    role = schedules.role("lambda:InvokeFunction")
    schedules.create(role)
    schedules.api.update_schedule(
        Name="s",
        State="DISABLED",
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": schedules.function, "RoleArn": role},
    )
    assert schedules.api.get_schedule(Name="s")["State"] == "DISABLED"
    schedules.later(minutes=1)
    schedules.api.delete_schedule(Name="s")
    schedules.later(minutes=1)

    assert schedules.messages(schedules.seen) == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        schedules.api.get_schedule(Name="s")


def test_a_schedule_is_listed_and_described_with_its_defaults(schedules: Schedules) -> None:
    schedules.create(schedules.role("lambda:InvokeFunction"))

    (listed,) = schedules.api.list_schedules(NamePrefix="s")["Schedules"]
    described = schedules.api.get_schedule(Name="s")

    assert (listed["Name"], listed["State"], listed["GroupName"]) == ("s", "ENABLED", "default")
    assert described["Target"]["RetryPolicy"] == {
        "MaximumEventAgeInSeconds": 86400,
        "MaximumRetryAttempts": 185,
    }
    with pytest.raises(ClientError, match="ConflictException"):
        schedules.create(schedules.role("lambda:InvokeFunction", name="another"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ScheduleExpression": "rate(1 minutes)"}, "Invalid Schedule Expression rate"),
        ({"ScheduleExpressionTimezone": "Mars"}, "Invalid time zone Mars"),
        ({"GroupName": "others"}, "Schedule group others does not exist"),
        (
            {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}},
            "FlexibleTimeWindow OFF only",
        ),
        ({"ActionAfterCompletion": "DELETE"}, "ActionAfterCompletion NONE only"),
        ({"Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}}, "functions and state machines only"),
        ({"Target": {"SqsParameters": {"MessageGroupId": "g"}}}, "does not emulate SqsParameters"),
        (
            {"Target": {"RoleArn": "arn:aws:iam::123456789012:role/echo-role"}},
            "must allow AWS EventBridge Scheduler",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_refused(
    schedules: Schedules, changes: dict[str, Any], problem: str
) -> None:
    given: dict[str, Any] = {
        "Name": "s",
        "ScheduleExpression": "cron(0 8 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **changes,
        "Target": {"Arn": schedules.function, "RoleArn": schedules.role(), **changes.get("Target", {})},
    }

    with pytest.raises(ClientError, match=problem):
        schedules.api.create_schedule(**given)

    assert schedules.api.list_schedules()["Schedules"] == []


def test_groups_are_not_emulated_and_say_so(schedules: Schedules) -> None:
    with pytest.raises(ClientError, match="does not emulate scheduler:CreateScheduleGroup"):
        schedules.api.create_schedule_group(Name="g")
