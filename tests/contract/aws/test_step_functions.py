"""Step Functions: how long its executions wait, who they are, and what its API answers about them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock

DOCS = "https://docs.aws.amazon.com/step-functions/latest"
ERRORS = f"{DOCS}/dg/concepts-error-handling.html"
TOKENS = f"{DOCS}/dg/connect-to-resource.html#connect-wait-token"
pytestmark = pytest.mark.source(ERRORS)

Client = Callable[[str], Any]
Run = Callable[..., dict[str, Any]]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]
END = {"Type": "Succeed"}
MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"


@pytest.fixture(scope="module")
def template() -> str:
    return """
Transform: AWS::Serverless-2016-10-31
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: work, Handler: app.handler, Runtime: python3.13, FunctionName: work, Timeout: 20}
"""


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {
        "work/app.py": """
import time

class OutOfPaper(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise OutOfPaper("no paper")
    time.sleep(event.get("seconds", 0))
    return {"got": event}
"""
    }


def pause() -> None:
    """Real time enough for something that ought not to happen."""
    Event().wait(0.1)


@pytest.fixture
def history(client: Client) -> Callable[[dict[str, Any], str], list[datetime]]:
    """When an execution had events of this type."""

    def times(execution: dict[str, Any], kind: str) -> list[datetime]:
        arn = execution["executionArn"]
        events = client("stepfunctions").get_execution_history(executionArn=arn)["events"]
        return [event["timestamp"] for event in events if event["type"] == kind]

    return times


@pytest.fixture
def ended(client: Client, until: Until) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def wait(execution: dict[str, Any]) -> dict[str, Any]:
        describe = client("stepfunctions").describe_execution
        arn = execution["executionArn"]
        until(lambda: describe(executionArn=arn)["status"] != "RUNNING")
        described: dict[str, Any] = describe(executionArn=arn)
        return described

    return wait


def waiting(**how: Any) -> dict[str, Any]:
    return {"One": {"Type": "Wait", **how, "End": True}}


# ------------------------------------------------------------------------------- waits

WAIT = pytest.mark.source(f"{DOCS}/dg/state-wait.html")


@WAIT
@pytest.mark.parametrize("seconds", [3600, "{% $states.input.hours * 3600 %}"])
def test_a_wait_ends_after_its_seconds_and_not_before(
    run: Run, clock: Clock, ended: Any, history: Any, seconds: Any
) -> None:
    execution = run(waiting(Seconds=seconds), {"hours": 1}, wait=False)
    pause()
    clock.advance(timedelta(minutes=59, seconds=50))
    pause()
    assert history(execution, "WaitStateExited") == []
    clock.advance(timedelta(seconds=10))
    over = ended(execution)
    assert over["status"] == "SUCCEEDED"
    assert timedelta(hours=1) <= over["stopDate"] - over["startDate"] < timedelta(hours=1, seconds=10)


@WAIT
@pytest.mark.parametrize("form", ["{:%Y-%m-%dT%H:%M:%S.%fZ}", "{:%Y-%m-%dT%H:%M:%S+00:00}"])
def test_a_wait_until_a_moment_ends_then(run: Run, clock: Clock, ended: Any, history: Any, form: str) -> None:
    until = form.format(clock.now() + timedelta(hours=2))
    execution = run(waiting(Timestamp="{% $states.input %}"), until, wait=False)
    pause()
    clock.advance(timedelta(hours=2))
    ended(execution)
    [over] = history(execution, "WaitStateExited")
    assert over >= datetime.fromisoformat(until).replace(microsecond=0)


@WAIT
def test_a_moment_that_is_past_is_not_waited_for(run: Run) -> None:
    assert run(waiting(Timestamp="2020-01-01T00:00:00Z"), {})["status"] == "SUCCEEDED"


@WAIT
def test_what_is_no_moment_fails(run: Run) -> None:
    assert run(waiting(Timestamp="{% $states.input %}"), "tomorrow")["status"] == "FAILED"


# ------------------------------------------------------------------------------- retries


def failing(*retriers: dict[str, Any], **more: Any) -> dict[str, Any]:
    queue = {"QueueName": "there-is-none"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl", "Arguments": queue}
    return {"One": {**task, "Retry": list(retriers), **more, "End": True}}


@pytest.fixture
def retried(clock: Clock, until: Until, history: Any) -> Callable[..., None]:
    """Holds that an execution tries again after these seconds each, and not before."""

    def attempts(execution: dict[str, Any]) -> int:
        return len(history(execution, "TaskScheduled"))

    def check(execution: dict[str, Any], *intervals: float) -> None:
        for number, seconds in enumerate(intervals, 1):
            until(lambda number=number: len(history(execution, "TaskFailed")) == number)
            pause()
            clock.advance(timedelta(seconds=seconds - 1))
            pause()
            assert attempts(execution) == number
            clock.advance(timedelta(seconds=1.5))
            until(lambda number=number: attempts(execution) == number + 1)

    return check


def test_a_retry_waits_one_second_and_twice_as_long_each_of_three_times(
    run: Run, retried: Any, ended: Any
) -> None:
    execution = run(failing({"ErrorEquals": ["States.ALL"]}), {}, wait=False)
    retried(execution, 1, 2, 4)
    assert ended(execution)["status"] == "FAILED"


def test_intervals_grow_by_the_backoff_rate_up_to_the_longest_delay(
    run: Run, retried: Any, ended: Any
) -> None:
    retrier = {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 10,
        "BackoffRate": 3,
        "MaxAttempts": 3,
        "MaxDelaySeconds": 40,
    }
    execution = run(failing(retrier), {}, wait=False)
    retried(execution, 10, 30, 40)
    assert ended(execution)["status"] == "FAILED"


def test_full_jitter_waits_any_time_up_to_the_interval(
    run: Run, clock: Clock, until: Until, history: Any
) -> None:
    retrier = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "BackoffRate": 1, "MaxAttempts": 16}
    execution = run(failing(retrier | {"JitterStrategy": "FULL"}), {}, wait=False)
    soon = 0
    for number in range(1, 17):
        until(lambda number=number: len(history(execution, "TaskFailed")) >= number)
        Event().wait(0.05)
        clock.advance(timedelta(seconds=300))
        Event().wait(0.05)
        if len(history(execution, "TaskScheduled")) > number:
            soon += 1
        else:
            clock.advance(timedelta(seconds=301))
    assert 0 < soon < 16


def test_no_attempts_means_no_retry(run: Run, history: Any) -> None:
    retriers: list[dict[str, Any]] = [
        {"ErrorEquals": ["Sqs.QueueDoesNotExistException"], "MaxAttempts": 0},
        {"ErrorEquals": ["States.ALL"]},
    ]
    execution = run(failing(*retriers), {})
    assert len(history(execution, "TaskScheduled")) == 1


def test_only_the_errors_that_a_retrier_names_are_tried_again(run: Run, history: Any) -> None:
    execution = run(failing({"ErrorEquals": ["States.Timeout"]}), {})
    assert len(history(execution, "TaskScheduled")) == 1


def test_what_is_still_wrong_after_the_retries_is_caught(
    run: Run, clock: Clock, until: Until, ended: Any, history: Any
) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Two"}]
    machine = failing({"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}, Catch=catch) | {"Two": END}
    execution = run(machine, {}, wait=False)
    until(lambda: history(execution, "TaskFailed"))
    pause()
    clock.advance(timedelta(seconds=2))
    assert json.loads(ended(execution)["output"])["Error"] == "Sqs.QueueDoesNotExistException"


# ------------------------------------------------------------------------------- time-outs and tokens


@pytest.fixture(scope="module")
def queue(client: Client) -> str:
    return str(client("sqs").create_queue(QueueName="tokens")["QueueUrl"])


@dataclass(frozen=True)
class Callback:
    """A state that sends its token to a queue and waits for an answer; and the token, from the queue."""

    queue: str
    sqs: Any
    until: Until

    def state(self, **more: Any) -> dict[str, Any]:
        body = {"token": "{% $states.context.Task.Token %}"}
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": {"QueueUrl": self.queue, "MessageBody": body},
            "End": True,
            **more,
        }

    def token(self) -> str:
        [message] = self.until(lambda: self.sqs.receive_message(QueueUrl=self.queue).get("Messages"))
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return str(json.loads(message["Body"])["token"])


@pytest.fixture
def callback(client: Client, queue: str, until: Until) -> Callback:
    return Callback(queue, client("sqs"), until)


@pytest.mark.source(TOKENS)
def test_a_task_goes_on_with_what_is_sent_for_its_token(
    run: Run, client: Client, callback: Callback, ended: Any
) -> None:
    good, bad = (run({"One": callback.state()}, {}, wait=False) for _ in range(2))
    tokens = {callback.token(), callback.token()}
    assert len(tokens) == 2
    client("stepfunctions").send_task_success(taskToken=tokens.pop(), output='{"answer": 42}')
    client("stepfunctions").send_task_failure(taskToken=tokens.pop(), error="Mine", cause="because")
    results = sorted((ended(good), ended(bad)), key=lambda one: str(one["status"]))
    assert (results[0]["error"], results[0]["cause"]) == ("Mine", "because")
    assert json.loads(results[1]["output"]) == {"answer": 42}


@pytest.mark.source(f"{DOCS}/apireference/API_SendTaskSuccess.html")
def test_a_token_that_nobody_waits_for_is_refused(client: Client, refusal: Refusal) -> None:
    error = refusal(client("stepfunctions").send_task_success, taskToken="x" * 20, output="{}")
    assert error.response["Error"]["Code"] in ("InvalidToken", "TaskDoesNotExist")


def test_a_task_that_takes_too_long_fails_with_a_time_out(
    run: Run, callback: Callback, clock: Clock, ended: Any
) -> None:
    catch = [{"ErrorEquals": ["States.Timeout"], "Output": "{% $states.errorOutput.Error %}", "Next": "Two"}]
    execution = run({"One": callback.state(TimeoutSeconds=600, Catch=catch), "Two": END}, {}, wait=False)
    callback.token()
    pause()
    clock.advance(timedelta(seconds=590))
    pause()
    clock.advance(timedelta(seconds=11))
    assert json.loads(ended(execution)["output"]) == "States.Timeout"


@pytest.mark.source(TOKENS)
def test_heartbeats_keep_a_task_alive(
    run: Run, client: Client, callback: Callback, clock: Clock, ended: Any
) -> None:
    catch = [{"ErrorEquals": ["States.Timeout", "States.HeartbeatTimeout"], "Next": "Two"}]
    execution = run(
        {"One": callback.state(HeartbeatSeconds=60, TimeoutSeconds=6000, Catch=catch), "Two": END},
        {},
        wait=False,
    )
    of_task = callback.token()
    for _ in range(3):
        clock.advance(timedelta(seconds=50))
        client("stepfunctions").send_task_heartbeat(taskToken=of_task)
        pause()
    assert (
        client("stepfunctions").describe_execution(executionArn=execution["executionArn"])["status"]
        == "RUNNING"
    )
    clock.advance(timedelta(seconds=61))
    assert json.loads(ended(execution)["output"])["Error"] in ("States.Timeout", "States.HeartbeatTimeout")


@pytest.mark.source("https://states-language.net/spec.html#toplevelfields")
def test_an_execution_that_takes_too_long_is_timed_out(run: Run, clock: Clock, ended: Any) -> None:
    execution = run(waiting(Seconds=86_400), {}, wait=False, TimeoutSeconds=300)
    pause()
    clock.advance(timedelta(seconds=301))
    over = ended(execution)
    assert over["status"] == "TIMED_OUT"
    assert over["stopDate"] > over["startDate"]


def test_a_time_out_inside_a_branch_can_be_caught_around_it(
    run: Run, callback: Callback, clock: Clock, ended: Any
) -> None:
    inner = {"StartAt": "In", "States": {"In": callback.state(TimeoutSeconds=10)}}
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Two"}]
    both = {"Type": "Parallel", "Branches": [inner], "Catch": catch, "End": True}
    each = {"Type": "Map", "Items": [1], "ItemProcessor": inner, "Catch": catch, "End": True}
    for state in (both, each):
        execution = run({"One": state, "Two": END}, {}, wait=False)
        callback.token()
        pause()
        clock.advance(timedelta(seconds=11))
        assert json.loads(ended(execution)["output"])["Error"] == "States.Timeout"


# ------------------------------------------------------------------------------- functions

INVOKE = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}


@pytest.mark.source(f"{DOCS}/dg/connect-lambda.html")
def test_invoking_a_function_gives_its_payload_and_how_it_went(run: Run) -> None:
    state = INVOKE | {"Arguments": {"FunctionName": "work", "Payload": {"n": 1}}, "End": True}
    output = json.loads(run({"One": state}, {})["output"])
    assert output["Payload"] == {"got": {"n": 1}}
    assert (output["StatusCode"], output["ExecutedVersion"]) == (200, "$LATEST")


@pytest.mark.source(f"{DOCS}/dg/connect-lambda.html")
def test_a_function_that_raises_fails_the_task_with_the_name_of_its_error(run: Run) -> None:
    state = INVOKE | {"Arguments": {"FunctionName": "work", "Payload": {"fail": True}}, "End": True}
    execution = run({"One": state}, {})
    assert execution["error"] == "OutOfPaper"
    assert json.loads(execution["cause"])["errorMessage"] == "no paper"


# ------------------------------------------------------------------------------- the API


@pytest.mark.source(f"{DOCS}/apireference/API_StartExecution.html")
def test_a_name_is_taken_unless_the_same_execution_still_runs(
    run: Run, client: Client, refusal: Refusal
) -> None:
    sfn = client("stepfunctions")
    machine = run(waiting(Seconds=86_400), {}, wait=False)["stateMachineArn"]
    given = {"stateMachineArn": machine, "name": "once", "input": '{"a": 1}'}
    first = sfn.start_execution(**given)
    again = sfn.start_execution(**given)
    assert first["executionArn"] == again["executionArn"]
    other = refusal(sfn.start_execution, **(given | {"input": "{}"}))
    assert other.response["Error"]["Code"] == "ExecutionAlreadyExists"
    sfn.stop_execution(executionArn=first["executionArn"])
    assert refusal(sfn.start_execution, **given).response["Error"]["Code"] == "ExecutionAlreadyExists"


@pytest.mark.source(f"{DOCS}/apireference/API_StartExecution.html")
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * 270_000)}, "ValidationException"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"stateMachineArn": f"{MACHINES}:nobody"}, "StateMachineDoesNotExist"),
    ],
)
def test_a_start_that_cannot_be_is_refused(
    run: Run, client: Client, refusal: Refusal, more: dict[str, str], code: str
) -> None:
    machine = run({"One": END}, {})["stateMachineArn"]
    error = refusal(client("stepfunctions").start_execution, **({"stateMachineArn": machine} | more))
    assert error.response["Error"]["Code"] == code
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.source(f"{DOCS}/apireference/API_DescribeExecution.html")
def test_an_execution_that_is_not_there_does_not_exist(client: Client, refusal: Refusal) -> None:
    arn = MACHINES.replace(":stateMachine", ":execution:nobody:none")
    sfn = client("stepfunctions")
    for call in (sfn.describe_execution, sfn.stop_execution, sfn.get_execution_history):
        assert refusal(call, executionArn=arn).response["Error"]["Code"] == "ExecutionDoesNotExist"


@pytest.mark.source(f"{DOCS}/apireference/API_CreateStateMachine.html")
def test_a_definition_that_is_wrong_is_refused(run: Run, client: Client, refusal: Refusal) -> None:
    role = client("iam").list_roles()["Roles"][0]["Arn"]
    wrong = {"StartAt": "One", "States": {"One": {"Type": "Pass", "Next": "Nowhere"}}}
    for definition in (json.dumps(wrong), "{", "[]"):
        given = {"name": "wrong", "definition": definition, "roleArn": role}
        error = refusal(client("stepfunctions").create_state_machine, **given)
        assert error.response["Error"]["Code"] == "InvalidDefinition"


@pytest.mark.source(f"{DOCS}/apireference/API_StopExecution.html")
def test_an_execution_that_is_stopped_is_aborted_at_once(run: Run, client: Client) -> None:
    sfn = client("stepfunctions")
    slow = INVOKE | {"Arguments": {"FunctionName": "work", "Payload": {"seconds": 1}}, "End": True}
    for machine in (
        waiting(Seconds=86_400),
        {"One": slow},
        failing({"ErrorEquals": ["States.ALL"], "IntervalSeconds": 900}),
    ):
        arn = run(machine, {}, wait=False)["executionArn"]
        sfn.stop_execution(executionArn=arn, error="Enough", cause="it is late")
        over = sfn.describe_execution(executionArn=arn)
        assert (over["status"], over["error"], over["cause"]) == ("ABORTED", "Enough", "it is late")
        assert over["stopDate"] >= over["startDate"]


@pytest.mark.source(f"{DOCS}/apireference/API_DescribeExecution.html")
def test_the_output_of_an_execution_is_json(run: Run) -> None:
    assert run({"One": {"Type": "Pass", "Output": "text", "End": True}}, {})["output"] == '"text"'
    assert run({"One": {"Type": "Pass", "Output": "{% null %}", "End": True}}, {})["output"] == "null"


@pytest.mark.source(f"{DOCS}/dg/procedure-create-iam-role.html")
def test_a_role_that_does_not_trust_step_functions_is_refused(role_with: Any, run: Run) -> None:
    lambdas = role_with(trust={"Principal": {"Service": "lambda.amazonaws.com"}})
    with pytest.raises(ClientError, match="AccessDeniedException") as refused:
        run({"One": END}, {}, role=lambdas)
    assert "is not authorized to assume the provided role" in str(
        refused.value
    ) or "is authorized to assume the provided role" in str(refused.value)


@pytest.mark.source(f"{DOCS}/dg/procedure-create-iam-role.html#prevent-cross-service-confused-deputy")
def test_a_role_may_trust_some_state_machines_only(role_with: Any, run: Run) -> None:
    def role_for(machines: str) -> str:
        condition = {
            "ArnLike": {"aws:SourceArn": f"arn:aws:states:us-east-1:123456789012:stateMachine:{machines}"}
        }
        trust = {"Principal": {"Service": "states.amazonaws.com"}, "Condition": condition}
        return str(role_with({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}, trust=trust))

    list_queues = {
        "One": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues", "End": True}
    }
    assert run(list_queues, {}, role=role_for("machine-*"))["status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        run(list_queues, {}, role=role_for("other-*"))
