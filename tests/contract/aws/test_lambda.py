"""Lambda: invocations, what is tried again, and who hears how it ended."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime

DOCS = "https://docs.aws.amazon.com/lambda/latest"
INVOKE = f"{DOCS}/api/API_Invoke.html"
ASYNC = f"{DOCS}/dg/invocation-async-error-handling.html"
KEPT = f"{DOCS}/dg/invocation-async-retain-records.html"
pytestmark = pytest.mark.source(INVOKE)
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def template() -> str:
    return """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {CodeUri: code, Handler: app.handler, Runtime: python3.13, Timeout: 2}}
Resources:
  Ended: {Type: AWS::SQS::Queue, Properties: {QueueName: ended}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Plain: {Type: AWS::Serverless::Function, Properties: {FunctionName: plain}}
  Told:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: told
      EventInvokeConfig:
        MaximumRetryAttempts: 2
        DestinationConfig:
          OnSuccess: {Type: SQS, Destination: !GetAtt Ended.Arn}
          OnFailure: {Type: SQS, Destination: !GetAtt Ended.Arn}
  Buried:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: buried
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
      EventInvokeConfig: {MaximumRetryAttempts: 0}
"""


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {
        "code/app.py": """
import os, sys, time

class Broken(Exception):
    pass

def handler(event, context):
    print("seen", context.aws_request_id)
    if event.get("fail"):
        raise Broken("as you asked")
    if event.get("exit"):
        os._exit(3)
    if event.get("garbage"):
        return object()
    time.sleep(event.get("seconds", 0))
    return {
        "event": event, "name": context.function_name, "arn": context.invoked_function_arn,
        "version": context.function_version, "memory": context.memory_limit_in_mb,
        "left": context.get_remaining_time_in_millis(), "env": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "big": "x" * event.get("size", 0),
    }
"""
    }


@pytest.fixture
def invoke(client: Client) -> Callable[..., dict[str, Any]]:
    def call(name: str = "plain", *, payload: Any = None, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(payload or {}), **more
        )
        answer["Payload"] = answer["Payload"].read()
        return answer

    return call


@pytest.fixture
def message(client: Client, until: Until) -> Callable[[str], dict[str, Any]]:
    """The next message of a queue, which is then gone."""

    def take(queue: str) -> dict[str, Any]:
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        receive = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
        [found] = until(lambda: sqs.receive_message(**receive).get("Messages"))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
        return dict(found)

    return take


def test_an_invocation_gives_what_the_function_returns(invoke: Any) -> None:
    answer = invoke(payload={"a": 1})
    result = json.loads(answer["Payload"])
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert result["event"] == {"a": 1}
    assert result["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:plain"
    assert (result["name"], result["env"], result["version"]) == ("plain", "plain", "$LATEST")
    assert result["memory"] in (128, "128")
    assert 0 < result["left"] <= 2000


@pytest.mark.source(f"{DOCS}/dg/python-exceptions.html")
def test_a_function_that_raises_answers_200_with_its_error(invoke: Any) -> None:
    answer = invoke(payload={"fail": True})
    error = json.loads(answer["Payload"])
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (error["errorType"], error["errorMessage"]) == ("Broken", "as you asked")
    assert any("raise Broken" in line for line in error["stackTrace"])


@pytest.mark.source(f"{DOCS}/dg/python-exceptions.html")
def test_what_cannot_be_json_is_a_marshal_error(invoke: Any) -> None:
    error = json.loads(invoke(payload={"garbage": True})["Payload"])
    assert error["errorType"] == "Runtime.MarshalError"


@pytest.mark.source(f"{DOCS}/dg/troubleshooting-invocation.html")
def test_a_function_that_is_too_slow_is_ended(invoke: Any) -> None:
    error = json.loads(invoke(payload={"seconds": 20})["Payload"])
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")


@pytest.mark.source(f"{DOCS}/dg/troubleshooting-invocation.html")
def test_a_function_that_exits_is_an_error_and_the_next_call_works(invoke: Any) -> None:
    error = json.loads(invoke(payload={"exit": True})["Payload"])
    assert error["errorType"] == "Runtime.ExitError"
    assert "FunctionError" not in invoke()


def test_the_tail_of_the_log_comes_when_it_is_asked_for(invoke: Any) -> None:
    answer = invoke(LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert log.startswith("START RequestId: ")
    assert "\nseen " in log
    assert "REPORT RequestId: " in log
    assert request_id
    assert "LogResult" not in invoke()


def test_a_dry_run_runs_nothing(invoke: Any) -> None:
    answer = invoke(InvocationType="DryRun", payload={"fail": True})
    assert (answer["StatusCode"], answer["Payload"]) == (204, b"")


@pytest.mark.source(f"{DOCS}/dg/gettingstarted-limits.html")
def test_six_megabytes_go_in_and_come_out_at_most(client: Client, invoke: Any, refusal: Refusal) -> None:
    too_much = json.dumps({"a": "x" * 6_300_000})
    error = refusal(client("lambda").invoke, FunctionName="plain", Payload=too_much)
    assert error.response["Error"]["Code"] == "RequestTooLargeException"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    answer = json.loads(invoke(payload={"size": 6_300_000})["Payload"])
    assert answer["errorType"] == "Function.ResponseSizeTooLarge"


def test_what_is_no_json_is_refused(client: Client, refusal: Refusal) -> None:
    error = refusal(client("lambda").invoke, FunctionName="plain", Payload=b"{")
    assert error.response["Error"]["Code"] == "InvalidRequestContentException"


def test_a_function_that_is_not_there_is_not_found(client: Client, refusal: Refusal) -> None:
    error = refusal(client("lambda").invoke, FunctionName="nobody")
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
    assert "arn:aws:lambda:us-east-1:123456789012:function:nobody" in str(error)


@pytest.mark.source(f"{DOCS}/dg/access-control-identity-based.html")
def test_a_role_invokes_what_its_policy_names(client_with: Callable[..., Client], refusal: Refusal) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:plain"
    lent = client_with({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})("lambda")
    assert lent.invoke(FunctionName="plain")["StatusCode"] == 200
    error = refusal(lent.invoke, FunctionName="told")
    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert "is not authorized to perform: lambda:InvokeFunction on resource: " in str(error)


# ------------------------------------------------------------------------------- asynchronous


@pytest.mark.source(KEPT)
def test_a_success_is_told_with_what_the_function_returned(invoke: Any, message: Any) -> None:
    answer = invoke("told", InvocationType="Event", payload={"a": 1})
    assert (answer["StatusCode"], answer["Payload"]) == (202, b"")
    record = json.loads(message("ended")["Body"])
    assert record["version"] == "1.0"
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestContext"]["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"]["event"] == {"a": 1}


@pytest.mark.source(ASYNC)
def test_a_failure_is_tried_twice_more_after_one_and_two_minutes(
    invoke: Any, message: Any, clock: Clock, runtime: Runtime, until: Until
) -> None:
    def failures() -> int:
        log = runtime.log_dir / "told.log" if runtime.log_dir else None
        return log.read_text().count("[ERROR] Broken: ") if log and log.exists() else 0

    invoke("told", InvocationType="Event", payload={"fail": True})
    for number, minutes in enumerate((1, 2), 1):
        until(lambda number=number: failures() == number)
        Event().wait(0.2)
        clock.advance(timedelta(minutes=minutes, seconds=-2))
        Event().wait(0.2)
        assert failures() == number
        clock.advance(timedelta(seconds=3))
    record = json.loads(message("ended")["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "Broken"


@pytest.mark.source(KEPT)
def test_a_dead_letter_queue_gets_the_event_with_its_error(invoke: Any, message: Any) -> None:
    invoke("buried", InvocationType="Event", payload={"fail": True, "a": 1})
    found = message("dead")
    assert json.loads(found["Body"]) == {"fail": True, "a": 1}
    attributes = {name: value["StringValue"] for name, value in found["MessageAttributes"].items()}
    assert attributes["ErrorCode"] == "200"
    assert attributes["ErrorMessage"] == "as you asked"
    assert len(attributes["RequestID"]) == 36


@pytest.mark.source(f"{DOCS}/dg/gettingstarted-limits.html")
def test_an_event_has_one_megabyte_at_most(client: Client, refusal: Refusal) -> None:
    too_much = json.dumps({"a": "x" * 1_100_000})
    error = refusal(client("lambda").invoke, FunctionName="plain", InvocationType="Event", Payload=too_much)
    assert error.response["Error"]["Code"] == "RequestTooLargeException"


@pytest.mark.source(f"{DOCS}/api/API_AddPermission.html")
def test_a_statement_of_a_function_s_policy_is_added_once(client: Client, refusal: Refusal) -> None:
    given = {
        "FunctionName": "plain",
        "StatementId": "one",
        "Action": "lambda:InvokeFunction",
        "Principal": "sns.amazonaws.com",
        "SourceArn": "arn:aws:sns:us-east-1:123456789012:topic",
    }
    statement = json.loads(client("lambda").add_permission(**given)["Statement"])
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": given["SourceArn"]}}
    assert refusal(client("lambda").add_permission, **given).response["Error"]["Code"] == (
        "ResourceConflictException"
    )
    client("lambda").remove_permission(FunctionName="plain", StatementId="one")
    error = refusal(client("lambda").remove_permission, FunctionName="plain", StatementId="one")
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
