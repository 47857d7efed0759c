"""AWS Lambda: what a function finds around it, how long and how large it may be, and what is written down."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.runtime import Runtime

Client = Callable[[str], Any]
Invoke = Callable[..., dict[str, Any]]

LIMITS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
VARIABLES = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
ENVIRONMENT = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
MEMORY = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
TIMEOUT = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"
LOGGING = "https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"
LOG_GROUPS = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"
INVOKE = "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"
CONTEXT = "https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"
EXCEPTIONS = "https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"
HANDLER = "https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"
TROUBLE = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html"
BILLING = "https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Do:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: do/
      Handler: app.handle
      Runtime: python3.13
      MemorySize: 128
      Timeout: 2
      Environment: {Variables: {OWN: mine, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '9', AWS_REGION: nowhere}}
  Broken:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: broken/, Handler: app.handle, Runtime: python3.13}
  Mute:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: do/, Handler: app.handle, Runtime: python3.13, Role: !GetAtt WithoutLogs.Arn}
  WithoutLogs:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
Outputs:
  Mute: {Value: !Ref Mute}
  Do: {Value: !Ref Do}
  Broken: {Value: !Ref Broken}
"""

# The event says in Python what to do; globals live as long as the sandbox.
DO = """
import json, logging, os, sys, time
calls = []
def handle(event, context):
    calls.append(context.aws_request_id)
    found = {"context": context, "calls": calls}
    exec(event, globals(), found)
    return found.get("answer")
"""


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    return {"do/app.py": DO, "broken/app.py": "print('here')\nraise LookupError('no such thing')\n"}


@pytest.fixture(scope="module")
def invoke(runtime: Runtime, client: Client) -> Invoke:
    """The function does what the text says; gives its answer, its error if any, its log and request id."""

    def invoke(code: str = "", *, function: str = "Do") -> dict[str, Any]:
        name, payload = runtime.outputs[function], json.dumps(code)
        answer = client("lambda").invoke(FunctionName=name, Payload=payload, LogType="Tail")
        return {
            "answer": json.loads(answer["Payload"].read()),
            "error": answer.get("FunctionError"),
            "log": base64.b64decode(answer["LogResult"]).decode(),
            "id": answer["ResponseMetadata"]["RequestId"],
        }

    return invoke


# ---------------------------------------------------------------- the environment


@pytest.mark.source(VARIABLES)
def test_reserved_variables_say_where_a_function_runs_and_cannot_be_replaced(invoke: Invoke) -> None:
    variables = invoke("answer = dict(os.environ)")["answer"]

    assert variables["OWN"] == "mine"
    assert variables["AWS_REGION"] == "us-east-1"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert variables["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{variables['AWS_LAMBDA_FUNCTION_NAME']}"
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} <= variables.keys()
    assert (variables["_HANDLER"], variables["TZ"]) == ("app.handle", ":UTC")


@pytest.mark.source(CONTEXT)
def test_the_context_tells_request_function_memory_and_time_left(invoke: Invoke, runtime: Runtime) -> None:
    result = invoke(
        "answer = [context.aws_request_id, context.function_name, context.memory_limit_in_mb, "
        "context.log_group_name, context.invoked_function_arn, context.get_remaining_time_in_millis()]"
    )
    name = runtime.outputs["Do"]

    *told, remaining = result["answer"]

    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert told == [result["id"], name, "128", f"/aws/lambda/{name}", arn]
    assert 1000 < remaining <= 2000


@pytest.mark.source(ENVIRONMENT)
def test_what_is_outside_the_handler_is_kept_for_the_next_invocation(invoke: Invoke) -> None:
    before = invoke("answer = len(calls)")["answer"]

    assert invoke("answer = len(calls)")["answer"] == before + 1


@pytest.mark.source(HANDLER)
def test_an_answer_that_is_no_json_is_a_marshal_error(invoke: Invoke) -> None:
    assert invoke("answer = {1, 2}")["answer"]["errorType"] == "Runtime.MarshalError"


# ---------------------------------------------------------------- limits


@pytest.mark.source(MEMORY)
@pytest.mark.source(TROUBLE)
def test_a_function_that_needs_more_than_its_memory_is_killed(invoke: Invoke) -> None:
    result = invoke("kept = b'x' * (200 << 20)")

    assert result["error"] == "Unhandled"
    assert result["answer"] == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {result['id']} Error: Runtime exited with error: signal: killed",
    }
    assert "Memory Size: 128 MB\tMax Memory Used: 128 MB" in result["log"]
    assert result["log"].endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\n")


@pytest.mark.source(TIMEOUT)
def test_a_function_that_takes_too_long_is_ended(invoke: Invoke) -> None:
    result = invoke("time.sleep(60)")

    assert result["answer"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result['id']} Error: Task timed out after 2.00 seconds",
    }
    assert re.search(rf"Z {result['id']} Task timed out after 2\.00 seconds\n", result["log"])
    assert result["log"].endswith("\tStatus: timeout\n")


@pytest.mark.source(ENVIRONMENT)
def test_after_a_failure_of_the_process_the_next_invocation_starts_anew(invoke: Invoke) -> None:
    result = invoke("os._exit(3)")

    error = f"RequestId: {result['id']} Error: Runtime exited with error: exit status 3"
    assert result["answer"] == {"errorType": "Runtime.ExitError", "errorMessage": error}
    assert f"{error}\nRuntime.ExitError\n" in result["log"]
    assert invoke("answer = len(calls)")["answer"] == 1


@pytest.mark.source(LIMITS)
def test_an_answer_has_6_mb_at_most(invoke: Invoke) -> None:
    assert len(invoke("answer = 'x' * (6 << 20)")["answer"]) == 6 << 20
    assert invoke("answer = 'x' * (6_500_000)")["answer"]["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.source(LIMITS)
def test_a_function_has_1024_file_descriptors(invoke: Invoke) -> None:
    result = invoke("import resource; answer = resource.getrlimit(resource.RLIMIT_NOFILE)")

    assert result["answer"] == [1024, 1024]


# ---------------------------------------------------------------- errors


@pytest.mark.source(EXCEPTIONS)
def test_an_exception_is_told_with_its_type_request_and_trace(invoke: Invoke) -> None:
    result = invoke("raise ValueError('no such gate')")

    assert result["error"] == "Unhandled"
    told = result["answer"]
    assert (told["errorType"], told["errorMessage"], told["requestId"]) == (
        *("ValueError", "no such gate"),
        result["id"],
    )
    assert any("in handle" in line for line in told["stackTrace"])
    assert "[ERROR] ValueError: no such gate" in result["log"]


@pytest.mark.source(ENVIRONMENT)
def test_an_error_outside_the_handler_fails_every_invocation(invoke: Invoke) -> None:
    for _ in range(2):
        result = invoke(function="Broken")

        assert (result["answer"]["errorType"], result["answer"]["errorMessage"]) == (
            *("LookupError", "no such thing"),
        )
        assert "\tPhase: init\tStatus: error\tError Type: LookupError\n" in result["log"]


# ---------------------------------------------------------------- what is written down


@pytest.mark.source(LOGGING)
def test_an_invocation_is_logged_between_start_end_and_report(invoke: Invoke) -> None:
    invoke()

    result = invoke("print('hello')")

    assert re.fullmatch(
        r"START RequestId: (\S+) Version: \$LATEST\nhello\nEND RequestId: \1\n"
        r"REPORT RequestId: \1\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\n",
        result["log"],
    )


@pytest.mark.source(LOGGING)
def test_a_record_of_the_logging_module_carries_level_time_and_request_id(invoke: Invoke) -> None:
    result = invoke("logging.getLogger().warning('low on film')")

    assert re.search(rf"\[WARNING\]\t[\d-]+T[\d:.]+Z\t{result['id']}\tlow on film\n", result["log"])


@pytest.mark.source(LOGGING)
@pytest.mark.source(BILLING)
def test_a_cold_start_is_reported_and_billed(invoke: Invoke) -> None:
    invoke("os._exit(0)")

    log = invoke()["log"]

    assert log.startswith("INIT_START Runtime Version: python:")
    numbers = r"Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t.*\tInit Duration: ([\d.]+) ms\n"
    found = re.search(rf"\t{numbers}", log)
    assert found is not None
    duration, billed, init = map(float, found.groups())
    assert duration + init <= billed <= duration + init + 1


@pytest.mark.source(INVOKE)
def test_the_tail_of_the_log_has_4_kb_at_most(invoke: Invoke) -> None:
    log = invoke("for n in range(1000): print(n)")["log"]

    assert 3000 < len(log) <= 4096
    assert "\n999\nEND RequestId: " in log


@pytest.mark.source(LOG_GROUPS)
def test_lambda_makes_a_log_group_and_a_stream_for_every_environment(
    invoke: Invoke, client: Client, runtime: Runtime
) -> None:
    group = f"/aws/lambda/{runtime.outputs['Do']}"
    stream = invoke("print('in its stream'); answer = context.log_stream_name")["answer"]

    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    found = client("logs").get_log_events(logGroupName=group, logStreamName=stream)
    assert "in its stream" in [event["message"] for event in found["events"]]


@pytest.mark.source("https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html")
def test_a_role_that_may_not_write_logs_leaves_none(
    invoke: Invoke, client: Client, runtime: Runtime, refusal: Callable[..., ClientError]
) -> None:
    result = invoke("print('hello'); answer = 1", function="Mute")

    assert (result["answer"], "\nhello\n" in result["log"]) == (1, True)
    group = f"/aws/lambda/{runtime.outputs['Mute']}"
    error = refusal(client("logs").filter_log_events, logGroupName=group)
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
