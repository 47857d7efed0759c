"""EventBridge Scheduler and the scheduled rules of EventBridge."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
GUIDE = "https://docs.aws.amazon.com/scheduler/latest/UserGuide"
API = "https://docs.aws.amazon.com/scheduler/latest/APIReference"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:echo"
TRUST = {"Principal": {"Service": "scheduler.amazonaws.com"}}
INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": FUNCTION}

ECHO = """
import boto3, json, os
def handle(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""


@pytest.fixture(scope="module")
def template() -> str:
    return """
Transform: AWS::Serverless-2016-10-31
Resources:
  Seen: {Type: AWS::SQS::Queue, Properties: {QueueName: seen}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: echo
      CodeUri: echo
      Handler: app.handle
      Runtime: python3.13
      Environment: {Variables: {SEEN: !Ref Seen}}
      Policies:
        - Version: '2012-10-17'
          Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Seen.Arn}
      Events:
        Daily: {Type: Schedule, Properties: {Name: daily, Schedule: rate(1 day)}}
Outputs:
  Seen: {Value: !Ref Seen}
"""


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    return {"echo/app.py": ECHO}


class Schedules:
    """Schedules of a test, and what reaches the function."""

    _numbers = count()

    def __init__(self, client: Client, clock: Clock, seen: str, role: str) -> None:
        self.client, self.clock, self.url, self.role = client, clock, seen, role
        self.api = client("scheduler")
        self.name = f"s-{next(self._numbers)}"

    def settings(self, expression: str, *, role: str = "", target: Any = None, **more: Any) -> dict[str, Any]:
        return {
            "Name": self.name,
            "ScheduleExpression": expression,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": FUNCTION, "RoleArn": role or self.role, **(target or {})},
            **more,
        }

    def create(self, expression: str, **more: Any) -> str:
        return str(self.api.create_schedule(**self.settings(expression, **more))["ScheduleArn"])

    def seen(self, seconds: int = 10) -> list[Any]:
        """Events of the next messages; those of the daily rule are not meant."""
        sqs, found = self.client("sqs"), []
        for message in sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=seconds).get("Messages", []):
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
        return found

    def end(self) -> None:
        if self.api.list_schedules(NamePrefix=self.name)["Schedules"]:
            self.api.delete_schedule(Name=self.name)


@pytest.fixture
def schedules(
    runtime: Runtime, client: Client, clock: Clock, role_with: Callable[..., str]
) -> Iterator[Schedules]:
    made = Schedules(client, clock, runtime.outputs["Seen"], role_with(INVOKE, trust=TRUST))
    yield made
    made.end()


# ---------------------------------------------------------------- what the target gets


@pytest.mark.source(f"{GUIDE}/managing-targets-templated.html")
def test_without_an_input_the_function_gets_the_event_of_the_scheduler(schedules: Schedules) -> None:
    arn = schedules.create("rate(1 minute)")
    schedules.clock.advance(timedelta(minutes=1))

    (event,) = schedules.seen()

    assert (event["source"], event["detail-type"], event["detail"]) == (
        "aws.scheduler",
        "Scheduled Event",
        "{}",
    )
    assert (event["resources"], event["account"], event["region"]) == ([arn], "123456789012", "us-east-1")


@pytest.mark.source(f"{GUIDE}/managing-schedule-context-attributes.html")
def test_context_attributes_in_the_input_are_filled_in(schedules: Schedules) -> None:
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
    text = json.dumps({name: f"<aws.scheduler.{name}>" for name in names})
    arn = schedules.create("rate(1 minute)", target={"Input": text})
    due = schedules.clock.now() + timedelta(minutes=1)
    schedules.clock.advance(timedelta(minutes=1))

    (event,) = schedules.seen()

    assert (event["schedule-arn"], event["attempt-number"]) == (arn, "1")
    assert abs((due - due.fromisoformat(event["scheduled-time"])).total_seconds()) < 5
    assert len(event["execution-id"]) == 36


@pytest.mark.source("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html")
def test_a_scheduled_rule_sends_a_scheduled_event_of_eventbridge(schedules: Schedules) -> None:
    schedules.clock.advance(timedelta(days=1))

    (event,) = schedules.seen()

    assert event.keys() == {
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"),
    }
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/daily"]


# ---------------------------------------------------------------- when


@pytest.mark.source(f"{GUIDE}/schedule-types.html#rate-based")
def test_a_rate_of_one_is_singular_and_others_are_plural(schedules: Schedules, refusal: Refusal) -> None:
    for expression in ("rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(1 week)"):
        error = refusal(schedules.api.create_schedule, **schedules.settings(expression))
        assert error.response["Error"]["Code"] == "ValidationException"


@pytest.mark.source(f"{GUIDE}/schedule-types.html#cron-based")
def test_a_cron_expression_has_six_fields_and_days_of_month_or_of_week(
    schedules: Schedules, refusal: Refusal
) -> None:
    for expression in ("cron(0 8 * * ?)", "cron(0 8 * * * *)", "cron(60 8 * * ? *)"):
        error = refusal(schedules.api.create_schedule, **schedules.settings(expression))
        assert error.response["Error"]["Code"] == "ValidationException"


@pytest.mark.source(f"{GUIDE}/schedule-types.html#one-time")
def test_a_one_time_schedule_calls_once_at_its_local_time(schedules: Schedules) -> None:
    there = (schedules.clock.now() + timedelta(hours=5, minutes=2)).replace(tzinfo=None, microsecond=0)
    schedules.create(
        f"at({there.isoformat()})",
        ScheduleExpressionTimezone="Asia/Karachi",  # five hours ahead, all year
        target={"Input": '"once"'},
    )
    schedules.clock.advance(timedelta(minutes=1))
    assert schedules.seen(0) == []

    schedules.clock.advance(timedelta(minutes=2))
    assert schedules.seen() == ["once"]
    schedules.clock.advance(timedelta(hours=10))
    assert schedules.seen(0) == []


@pytest.mark.source(f"{API}/API_CreateSchedule.html")
def test_a_schedule_calls_between_its_start_and_its_end_only(schedules: Schedules) -> None:
    now = schedules.clock.now()
    schedules.create(
        "rate(1 minute)",
        StartDate=now + timedelta(minutes=10),
        EndDate=now + timedelta(minutes=12),
        target={"Input": "1"},
    )
    schedules.clock.advance(timedelta(minutes=9))
    assert schedules.seen(0) == []
    schedules.clock.advance(timedelta(minutes=2, seconds=10))
    assert schedules.seen() == [1]
    schedules.clock.advance(timedelta(hours=1))
    assert len(schedules.seen(1)) <= 1  # the twelfth minute, if its second was still within
    schedules.clock.advance(timedelta(hours=1))
    assert schedules.seen(0) == []


# ---------------------------------------------------------------- the role


@pytest.mark.source(f"{GUIDE}/setting-up.html#setting-up-execution-role")
def test_a_role_that_does_not_trust_the_scheduler_is_refused(
    schedules: Schedules, role_with: Callable[..., str], refusal: Refusal
) -> None:
    other = role_with(INVOKE, trust={"Principal": {"Service": "lambda.amazonaws.com"}})

    error = refusal(schedules.api.create_schedule, **schedules.settings("rate(1 hour)", role=other))

    assert error.response["Error"]["Code"] == "ValidationException"
    assert "must allow AWS EventBridge Scheduler to assume the role" in error.response["Error"]["Message"]


@pytest.mark.source(f"{GUIDE}/security-iam-id-based-policies.html")
def test_who_makes_a_schedule_must_be_allowed_to_pass_its_role(
    schedules: Schedules, client_with: Callable[..., Client], refusal: Refusal
) -> None:
    may = {"Effect": "Allow", "Action": "scheduler:CreateSchedule", "Resource": "*"}
    api = client_with(may)("scheduler")

    error = refusal(api.create_schedule, **schedules.settings("rate(1 hour)"))

    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert "iam:PassRole" in error.response["Error"]["Message"]


@pytest.mark.source(f"{GUIDE}/configuring-schedule-dlq.html")
def test_what_the_role_may_not_call_goes_to_the_dead_letter_queue_with_its_reason(
    schedules: Schedules, client: Client, role_with: Callable[..., str]
) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    queue = "arn:aws:sqs:us-east-1:123456789012:dead"
    role = role_with({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}, trust=TRUST)
    arn = schedules.create(
        "rate(1 minute)", role=role, target={"Input": '{"n": 1}', "DeadLetterConfig": {"Arn": queue}}
    )
    schedules.clock.advance(timedelta(minutes=1))

    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"])

    (message,) = answer["Messages"]
    told = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert json.loads(message["Body"]) == {"n": 1}
    assert (told["ERROR_CODE"], told["SCHEDULE_ARN"], told["TARGET_ARN"]) == (
        "AccessDeniedException",
        arn,
        FUNCTION,
    )
    assert told["RETRY_ATTEMPTS"] == "0"


# ---------------------------------------------------------------- the API


@pytest.mark.source(f"{API}/API_RetryPolicy.html")
def test_a_schedule_tries_185_times_within_a_day_unless_it_is_told_otherwise(schedules: Schedules) -> None:
    schedules.create("rate(1 hour)", target={"RetryPolicy": {"MaximumRetryAttempts": 3}})

    policy = schedules.api.get_schedule(Name=schedules.name)["Target"]["RetryPolicy"]
    assert policy == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 3}

    schedules.api.update_schedule(**schedules.settings("rate(1 hour)"))
    policy = schedules.api.get_schedule(Name=schedules.name)["Target"]["RetryPolicy"]
    assert policy == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


@pytest.mark.source(f"{API}/API_UpdateSchedule.html")
def test_an_update_puts_what_it_does_not_name_back_to_its_default(schedules: Schedules) -> None:
    zone = "Europe/Berlin"
    arn = schedules.create("rate(1 hour)", Description="d", State="DISABLED", ScheduleExpressionTimezone=zone)

    assert schedules.api.update_schedule(**schedules.settings("rate(2 hours)"))["ScheduleArn"] == arn

    told = schedules.api.get_schedule(Name=schedules.name)
    assert (told["State"], told["ScheduleExpressionTimezone"]) == ("ENABLED", "UTC")
    assert "Description" not in told
    assert told["CreationDate"] <= told["LastModificationDate"]


@pytest.mark.source(f"{API}/API_CreateSchedule.html#API_CreateSchedule_Errors")
def test_a_name_is_used_once_in_its_group(schedules: Schedules, refusal: Refusal) -> None:
    schedules.create("rate(1 hour)")

    error = refusal(schedules.api.create_schedule, **schedules.settings("rate(1 hour)"))

    assert error.response["Error"]["Code"] == "ConflictException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.source(f"{API}/API_GetSchedule.html#API_GetSchedule_Errors")
def test_a_deleted_schedule_is_not_found(schedules: Schedules, refusal: Refusal) -> None:
    schedules.create("rate(1 hour)")
    schedules.api.delete_schedule(Name=schedules.name)

    for call in (schedules.api.get_schedule, schedules.api.delete_schedule):
        error = refusal(call, Name=schedules.name)
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.source(f"{API}/API_ListSchedules.html")
def test_a_list_is_narrowed_by_prefix_and_state_and_does_not_tell_the_input(schedules: Schedules) -> None:
    schedules.create("rate(1 hour)", target={"Input": "secret"})

    def names(**filters: str) -> list[str]:
        return [each["Name"] for each in schedules.api.list_schedules(**filters)["Schedules"]]

    assert names(NamePrefix=schedules.name) == [schedules.name]
    assert schedules.name in names(State="ENABLED")
    assert schedules.name not in names(State="DISABLED")
    (listed,) = schedules.api.list_schedules(NamePrefix=schedules.name)["Schedules"]
    assert listed["Target"] == {"Arn": FUNCTION}
