"""statemachines/device_lifecycle.asl.yaml, run by the local interpreter on stand-ins for the services."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from sightline_local.cloud import patches
from sightline_local.iam import Credentials
from sightline_local.statemachine.definition import read_definition
from sightline_local.statemachine.interpreter import Interpreter, stop_executions
from tests.fakes.aws_clients import FakeAws, invocation_result

ROLE = "arn:aws:iam::123456789012:role/lifecycle"
SUBSTITUTIONS = {
    "PlanDeviceArn": "arn:plan",
    "ExplainFailureArn": "arn:explain",
    "ConsumeFaceRecordsArn": "arn:consume",
    "ParkedRecordsBucketArn": "arn:aws:s3:::parked",
    "RekognitionRoleArn": "arn:role",
    "CollectionId": "people",
    "DevicesTable": "devices",
}
PLAN = {
    "device_id": "door",
    "generation": 7,
    "video_stream_name": "s-door",
    "face_stream_name": "s-faces-door",
    "face_stream_arn": "arn:faces",
    "processor_name": "s-door",
    "retention_hours": 24,
    "face_match_threshold": 80.0,
    "tags": {"sightline:device": "door"},
    "remove_face_stream": False,
    "remove_video_stream": False,
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Run = Callable[..., Any]


class LendsEveryRole:
    def assume(self, role_arn: str, session_name: str, **_: object) -> Credentials:
        return Credentials("key", "secret", "token", role_arn=role_arn)


@pytest.fixture
def aws() -> FakeAws:
    """Every service does what it is asked to: a start succeeds."""
    aws = FakeAws()
    aws.answers.update(
        {
            ("lambda", "Invoke"): _tasks(),
            ("kinesisvideo", "CreateStream"): {"StreamARN": "arn:video"},
            ("kinesisvideo", "DescribeStream"): {
                "StreamInfo": {"StreamARN": "arn:video", "Status": "ACTIVE", "CreationTime": NOW}
            },
            ("kinesis", "DescribeStreamSummary"): {
                "StreamDescriptionSummary": {"StreamStatus": "ACTIVE", "StreamCreationTimestamp": NOW}
            },
            ("lambda", "CreateEventSourceMapping"): {"UUID": "mapping-1"},
            ("lambda", "ListEventSourceMappings"): {"EventSourceMappings": [{"UUID": "mapping-1"}]},
            ("rekognition", "DescribeStreamProcessor"): {"Status": "RUNNING"},
        }
    )
    return aws


def _tasks(**plan: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The two Lambda tasks; ExplainFailure undoes what was made, as the real one does."""

    def invoke(parameters: dict[str, Any]) -> dict[str, Any]:
        event = json.loads(parameters["Payload"])
        if parameters["FunctionName"] == "arn:plan":
            return invocation_result({**PLAN, "action": event["action"], **plan})
        undo = {f"remove_{name}": made for name, made in event["made"].items()}
        reason = f"because of {event['failure']['Error']}: {event['failure']['Cause']}"
        return invocation_result({"plan": {**event["plan"], **undo}, "reason": reason})

    return invoke


@pytest.fixture
def run(aws: FakeAws, repository: Path) -> Iterator[Run]:
    """Run one execution to its end and give it back."""
    Interpreter(LendsEveryRole(), lambda service, credentials: aws.client(service)).install()  # type: ignore[arg-type]
    backend = stepfunctions_parser_backends["123456789012"]["us-east-1"]
    definition = read_definition(repository / "statemachines/device_lifecycle.asl.yaml", SUBSTITUTIONS)
    machine = backend.create_state_machine(
        name="lifecycle", definition=definition, roleArn=ROLE, sm_type="STANDARD"
    )
    names = (f"door-{number}" for number in itertools.count())

    def run(action: str) -> Any:
        given = json.dumps({"device_id": "door", "action": action, "generation": 7})
        execution = backend.start_execution(machine.arn, next(names), given)
        deadline = time.monotonic() + 20
        while execution.stop_date is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return execution

    yield run
    stop_executions()
    stepfunctions_parser_backends.reset()
    patches.undo()


def state_written(aws: FakeAws) -> tuple[str, str | None]:
    values = aws.parameters("dynamodb", "UpdateItem")["ExpressionAttributeValues"]
    return values[":state"]["S"], values.get(":reason", {}).get("S")


def test_a_start_provisions_runs_and_confirms(run: Run, aws: FakeAws) -> None:
    execution = run("start")

    assert execution.status == "SUCCEEDED", execution.cause
    assert aws.names() == [
        "lambda:Invoke",
        "kinesisvideo:CreateStream",
        "kinesisvideo:DescribeStream",
        "kinesis:CreateStream",
        "kinesis:DescribeStreamSummary",
        "lambda:CreateEventSourceMapping",
        "rekognition:CreateStreamProcessor",
        "dynamodb:UpdateItem",
        "rekognition:StartStreamProcessor",
        "rekognition:DescribeStreamProcessor",
        "dynamodb:UpdateItem",
    ]
    assert aws.parameters("rekognition", "CreateStreamProcessor") == {
        "Name": "s-door",
        "Input": {"KinesisVideoStream": {"Arn": "arn:video"}},
        "Output": {"KinesisDataStream": {"Arn": "arn:faces"}},
        "RoleArn": "arn:role",
        "Settings": {"FaceSearch": {"CollectionId": "people", "FaceMatchThreshold": 80.0}},
    }
    assert state_written(aws) == ("running", None)


def test_a_start_writes_where_video_and_faces_are_while_the_processor_starts(run: Run, aws: FakeAws) -> None:
    run("start")

    first = next(p for s, o, p in aws.calls if (s, o) == ("dynamodb", "UpdateItem"))
    assert first["UpdateExpression"] == (
        "SET #state = :state, video_stream_arn = :video, face_stream_arn = :face REMOVE state_reason"
    )
    assert first["ExpressionAttributeValues"] == {
        ":state": {"S": "starting"},
        ":video": {"S": "arn:video"},
        ":face": {"S": "arn:faces"},
        ":generation": {"N": "7"},
    }


def test_what_is_there_already_is_used(run: Run, aws: FakeAws) -> None:
    for service, operation in (
        ("kinesisvideo", "CreateStream"),
        ("kinesis", "CreateStream"),
        ("rekognition", "CreateStreamProcessor"),
        ("rekognition", "StartStreamProcessor"),
    ):
        aws.answers[service, operation] = "ResourceInUseException"
    aws.answers["lambda", "CreateEventSourceMapping"] = "ResourceConflictException"

    assert run("start").status == "SUCCEEDED"
    assert state_written(aws) == ("running", None)


@pytest.mark.parametrize("extra", [{"StatusMessage": 'the role "r" may not'}, {}])
def test_a_processor_that_fails_undoes_what_was_made_and_says_why(
    run: Run, aws: FakeAws, extra: dict[str, str]
) -> None:
    aws.answers["rekognition", "DescribeStreamProcessor"] = {"Status": "FAILED", **extra}

    execution = run("start")

    reason = f"because of ProcessorFailed: {extra.get('StatusMessage', '')}"
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "DeviceFailed", reason)
    assert state_written(aws) == ("failed", reason)
    undone = aws.names()[aws.names().index("rekognition:StopStreamProcessor") :]
    assert undone == [
        "rekognition:StopStreamProcessor",
        "rekognition:DescribeStreamProcessor",
        "rekognition:DeleteStreamProcessor",
        "lambda:ListEventSourceMappings",
        "lambda:DeleteEventSourceMapping",
        "kinesis:DeleteStream",
        "kinesisvideo:DescribeStream",
        "kinesisvideo:DeleteStream",
        "dynamodb:UpdateItem",
    ]
    assert aws.parameters("lambda", "DeleteEventSourceMapping") == {"UUID": "mapping-1"}
    assert aws.parameters("kinesisvideo", "DeleteStream") == {"StreamARN": "arn:video"}


def test_a_video_stream_that_was_there_before_survives_a_failed_start(run: Run, aws: FakeAws) -> None:
    aws.answers["kinesisvideo", "CreateStream"] = "ResourceInUseException"
    aws.answers["rekognition", "CreateStreamProcessor"] = "AccessDeniedException"
    aws.answers["rekognition", "StopStreamProcessor"] = "ResourceNotFoundException"

    execution = run("start")

    assert execution.cause.startswith('because of Rekognition.AccessDeniedException: said "no"\nand \\ more')
    assert "kinesis:DeleteStream" in aws.names()
    assert "kinesisvideo:DeleteStream" not in aws.names()


def test_a_start_that_was_superseded_leaves_the_processor_to_its_successor(run: Run, aws: FakeAws) -> None:
    aws.answers["dynamodb", "UpdateItem"] = "ConditionalCheckFailedException"

    assert run("start").status == "SUCCEEDED"
    assert "rekognition:StopStreamProcessor" not in aws.names()


def test_a_plan_that_cannot_be_made_marks_the_device_failed(run: Run, aws: FakeAws) -> None:
    aws.answers["lambda", "Invoke"] = "ResourceNotFoundException"

    run("start")

    reason = "what to do could not be planned (Lambda.ResourceNotFoundException)"
    assert state_written(aws) == ("failed", reason)


def test_without_an_explanation_what_was_made_is_undone_all_the_same(run: Run, aws: FakeAws) -> None:
    tasks = _tasks()
    aws.answers["lambda", "Invoke"] = lambda call: (
        tasks(call) if call["FunctionName"] == "arn:plan" else {**invocation_result({}), "FunctionError": "x"}
    )
    aws.answers["rekognition", "DescribeStreamProcessor"] = {"Status": "FAILED", "StatusMessage": "broken"}

    run("start")

    assert {"kinesis:DeleteStream", "kinesisvideo:DeleteStream"} <= set(aws.names())
    assert state_written(aws) == ("failed", "ProcessorFailed: broken")


def test_a_plan_to_do_nothing_does_nothing(run: Run, aws: FakeAws) -> None:
    aws.answers["lambda", "Invoke"] = _tasks(action="none")

    assert run("start").status == "SUCCEEDED"
    assert aws.names() == ["lambda:Invoke"]


def test_a_stop_ends_the_processor_and_keeps_the_recordings(run: Run, aws: FakeAws) -> None:
    aws.answers["rekognition", "DescribeStreamProcessor"] = [{"Status": "STOPPING"}, {"Status": "STOPPED"}]

    assert run("stop").status == "SUCCEEDED"
    assert "rekognition:DeleteStreamProcessor" in aws.names()
    assert "kinesisvideo:DeleteStream" not in aws.names()
    assert state_written(aws) == ("stopped", None)


def test_a_delete_forgets_the_device_last(run: Run, aws: FakeAws) -> None:
    aws.answers["lambda", "Invoke"] = _tasks(remove_face_stream=True, remove_video_stream=True)
    aws.answers["lambda", "ListEventSourceMappings"] = {"EventSourceMappings": []}
    aws.answers["rekognition", "StopStreamProcessor"] = "ResourceNotFoundException"

    assert run("delete").status == "SUCCEEDED"
    assert "lambda:DeleteEventSourceMapping" not in aws.names()
    assert aws.names()[-1] == "dynamodb:DeleteItem"


def test_a_tear_down_that_is_refused_says_so(run: Run, aws: FakeAws) -> None:
    aws.answers["lambda", "Invoke"] = _tasks(remove_face_stream=True)
    aws.answers["rekognition", "StopStreamProcessor"] = "ResourceNotFoundException"
    aws.answers["kinesis", "DeleteStream"] = "AccessDeniedException"

    execution = run("delete")

    assert execution.status == "FAILED"
    assert execution.cause.startswith('could not be torn down: said "no"\nand \\ more')
    assert state_written(aws) == ("failed", execution.cause)
