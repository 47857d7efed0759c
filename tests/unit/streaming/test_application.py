"""The Flink application is brought to run, or to stop, whatever it is doing already."""

import importlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from sightline.streaming.kinesisanalyticsv2 import FlinkApplication
from sightline.streaming.model import NotRunningError, Status
from sightline.streaming.service import PATIENCE_SECONDS, Operation
from tests.fakes.aws_clients import FakeAws


@dataclass
class Service:
    """Says one status after the other, the last one for ever."""

    statuses: list[Status | None]
    asked: list[str] = field(default_factory=list)
    waited: float = 0.0

    def status(self) -> Status | None:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def start(self) -> None:
        self.asked.append("start")

    def stop(self) -> None:
        self.asked.append("stop")

    def pause(self, seconds: float) -> None:
        self.waited += seconds


def operation(service: Service) -> Operation:
    return Operation(service, service.pause)


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ([Status.READY, Status.STARTING, Status.RUNNING], ["start"]),
        ([Status.READY, Status.READY, Status.STARTING, Status.RUNNING], ["start", "start"]),
        ([Status.RUNNING], []),
        ([Status.UPDATING, Status.RUNNING], []),
        ([Status.STOPPING, Status.READY, Status.STARTING, Status.RUNNING], ["start"]),
    ],
)
def test_an_application_is_started_and_waited_for(statuses: list[Status | None], asked: list[str]) -> None:
    service = Service(statuses)

    operation(service).run()

    assert service.asked == asked


@pytest.mark.parametrize("status", [None, Status.DELETING, Status.ROLLED_BACK])
def test_what_will_never_run_is_told_at_once(status: Status | None) -> None:
    service = Service([status])

    with pytest.raises(NotRunningError):
        operation(service).run()

    assert (service.asked, service.waited) == ([], 0)


def test_an_application_that_stays_ready_did_not_start() -> None:
    service = Service([Status.READY])

    with pytest.raises(NotRunningError, match="its log group says why"):
        operation(service).run()

    assert service.waited <= 60


def test_an_application_that_never_gets_there_is_told_before_the_function_ends() -> None:
    service = Service([Status.STARTING])

    with pytest.raises(NotRunningError, match="still STARTING after 780 seconds"):
        operation(service).run()

    assert service.waited <= PATIENCE_SECONDS < 900


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ([Status.RUNNING, Status.FORCE_STOPPING, Status.READY], ["stop"]),
        ([Status.STARTING, Status.FORCE_STOPPING, Status.READY], ["stop"]),
        ([Status.READY], []),
        ([None], []),
        ([Status.DELETING, None], []),
    ],
)
def test_an_application_is_stopped_before_it_goes(statuses: list[Status | None], asked: list[str]) -> None:
    service = Service(statuses)

    operation(service).stop()

    assert service.asked == asked


def test_the_service_is_asked_to_go_on_where_the_last_snapshot_was() -> None:
    aws = FakeAws()
    aws.answers["kinesisanalyticsv2", "DescribeApplication"] = {
        "ApplicationDetail": {"ApplicationStatus": "READY"}
    }
    application = FlinkApplication(aws.client("kinesisanalyticsv2"), "sightline-streaming-sql")

    status = application.status()
    application.start()
    application.stop()

    assert status is Status.READY
    assert aws.parameters("kinesisanalyticsv2", "StartApplication") == {
        "ApplicationName": "sightline-streaming-sql",
        "RunConfiguration": {
            "ApplicationRestoreConfiguration": {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"}
        },
    }
    assert aws.parameters("kinesisanalyticsv2", "StopApplication")["Force"] is True


def test_an_application_that_does_not_exist_has_no_status() -> None:
    aws = FakeAws()
    aws.answers["kinesisanalyticsv2", "DescribeApplication"] = "ResourceNotFoundException"

    assert FlinkApplication(aws.client("kinesisanalyticsv2"), "gone").status() is None


def test_a_start_while_it_changes_is_no_failure_and_any_other_refusal_is() -> None:
    aws = FakeAws()
    application = FlinkApplication(aws.client("kinesisanalyticsv2"), "busy")
    aws.answers["kinesisanalyticsv2", "StartApplication"] = [
        "ResourceInUseException",
        "AccessDeniedException",
    ]

    application.start()

    with pytest.raises(Exception, match="AccessDeniedException"):
        application.start()


@pytest.mark.parametrize(
    ("request_type", "statuses", "failure"),
    [
        ("Create", [Status.READY, Status.RUNNING], None),
        ("Update", [Status.UPDATING, Status.RUNNING], None),
        ("Create", [None], "The application cannot be started: there is none."),
        ("Delete", [Status.RUNNING, Status.READY], None),
        ("Delete", [None], None),
    ],
)
def test_cloudformation_is_answered_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, request_type: str, statuses: list[Status | None], failure: str | None
) -> None:
    handler = importlib.import_module("functions.start_streaming_sql.handler")
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(handler, "operation", lambda _name: operation(Service(statuses)))
    monkeypatch.setattr(handler, "answer", lambda _event, **answer: answers.append(answer))

    handler.lambda_handler(
        {"RequestType": request_type, "ResourceProperties": {"Application": "sightline-streaming-sql"}}, None
    )

    assert answers == [{"resource_id": "running-sightline-streaming-sql", "failure": failure}]


def test_cloudformation_is_answered_even_when_nobody_expected_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = importlib.import_module("functions.start_streaming_sql.handler")
    answers: list[dict[str, Any]] = []

    def denied(_name: str) -> Operation:
        raise PermissionError("not allowed")

    monkeypatch.setattr(handler, "operation", denied)
    monkeypatch.setattr(handler, "answer", lambda _event, **answer: answers.append(answer))

    handler.lambda_handler({"RequestType": "Create", "ResourceProperties": {"Application": "x"}}, None)

    assert answers[0]["failure"] == "PermissionError: not allowed"
