"""HTTP events of API Gateway through the door of devices_api."""

import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from sightline.devices.model import Action, State
from tests.builders import VIDEO_STREAM_ARN, a_device, a_lambda_context, a_stopped_device, an_http_event

Answer = tuple[int, dict[str, Any], dict[str, str]]
Send = Callable[..., Answer]


@pytest.fixture
def send(function: Callable[[str], ModuleType], event: Callable[[str], dict[str, Any]]) -> Send:
    """send("read", body={...}, rawPath=...) → status, body, headers"""
    handler = function("devices_api.handler")

    def send_event(name: str, *, body: object = None, **changes: object) -> Answer:
        sent = an_http_event(event(f"devices_api/{name}"), body=body, **changes)
        response = handler.lambda_handler(sent, a_lambda_context("devices_api"))
        return response["statusCode"], json.loads(response["body"]), response["headers"]

    return send_event


def test_a_registration_answers_202_and_begins_the_lifecycle(send: Send, aws: Any) -> None:
    status, device, headers = send("register")

    stored = aws.store.find("gate-3")
    assert (status, headers["Location"]) == (202, "/devices/gate-3")
    assert device == stored.to_json()
    assert (device["state"], device["desired"], device["video_stream_arn"]) == (
        "provisioning",
        "running",
        None,
    )
    assert aws.execution(f"gate-3-{stored.generation}") == {
        "status": "RUNNING",
        "input": {"device_id": "gate-3", "action": "start", "generation": stored.generation},
    }


def test_the_same_registration_answers_200_and_changes_nothing(send: Send, aws: Any) -> None:
    _, first, _ = send("register")

    status, again, headers = send("register", body={"device_id": "gate-3", "name": "Another"})

    assert (status, again, headers["Location"]) == (200, first, "/devices/gate-3")
    assert len(aws.executions()) == 1


def test_a_repeated_idempotency_key_finds_the_same_device(send: Send, aws: Any) -> None:
    first_status, first, _ = send("register_with_idempotency_key")
    again_status, again, _ = send("register_with_idempotency_key")

    assert (first_status, again_status) == (202, 200)
    assert first == again
    assert len(aws.executions()) == 1


def test_two_registrations_without_id_or_key_are_two_devices(send: Send) -> None:
    _, first, _ = send("register", body={})
    _, second, _ = send("register", body={})

    assert first["device_id"] != second["device_id"]


def test_a_wrong_registration_names_every_wrong_field_and_changes_nothing(send: Send, aws: Any) -> None:
    status, problem, headers = send("register_wrong")

    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert [each["field"] for each in problem["errors"]] == ["device_id", "similarity_threshold", "zones.0"]
    assert "0.9 would mean 90" in problem["errors"][1]["message"]
    assert (aws.store.find("gate-3"), aws.executions()) == (None, [])


def test_a_body_that_is_not_json_is_a_problem(send: Send) -> None:
    status, problem, _ = send("register_not_json")

    assert (status, problem["detail"]) == (400, "The request body is not JSON.")


def test_a_list_comes_in_pages(send: Send, aws: Any) -> None:
    for number in range(3):
        aws.has(a_device(device_id=f"gate-{number}"))

    _, first, _ = send("list")
    status, second, _ = send("list", queryStringParameters={"limit": "2", "cursor": first["next_cursor"]})

    shown = [device["device_id"] for device in first["items"] + second["items"]]
    assert (status, len(first["items"])) == (200, 2)
    assert sorted(shown) == ["gate-0", "gate-1", "gate-2"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"cursor": "made-up"}])
def test_a_wrong_page_is_a_problem(send: Send, query: dict[str, str]) -> None:
    status, problem, _ = send("list", queryStringParameters=query)

    assert (status, [each["field"] for each in problem["errors"]]) == (400, list(query))


def test_a_device_can_be_read(send: Send, aws: Any) -> None:
    device = aws.has(a_device())

    assert send("read")[:2] == (200, device.to_json())


@pytest.mark.parametrize("case", ["read", "change", "remove", "start", "stop", "lend_credentials"])
def test_an_unknown_device_is_a_problem(send: Send, case: str) -> None:
    status, problem, headers = send(case)

    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert problem["detail"] == "There is no such device."


def test_an_unknown_route_is_a_problem(send: Send) -> None:
    status, problem, headers = send("read", rawPath="/devices/gate-3/zoom")

    assert (status, problem["status"], headers["Content-Type"]) == (404, 404, "application/problem+json")


def test_a_change_is_merged(send: Send, aws: Any) -> None:
    aws.has(a_device())

    status, device, _ = send("change")

    assert status == 200
    assert (device["name"], device["site"], device["similarity_threshold"]) == ("North gate", None, 95.0)
    assert (device["time_zone"], device["location"]) == (
        "Europe/Berlin",
        {"latitude": 53.54, "longitude": 9.98},
    )
    assert aws.store.find("gate-3").to_json() == device


def test_what_cannot_be_changed_is_a_problem_and_changes_nothing(send: Send, aws: Any) -> None:
    device = aws.has(a_device())

    status, problem, _ = send("change", body={"name": "North gate", "retention_hours": 1})

    assert (status, [each["field"] for each in problem["errors"]]) == (400, ["retention_hours"])
    assert aws.store.find("gate-3") == device


@pytest.mark.parametrize(
    ("case", "device", "expected"),
    [
        ("start", a_stopped_device(), (Action.START, State.STARTING)),
        ("stop", a_device(), (Action.STOP, State.RUNNING)),
        ("remove", a_device(), (Action.DELETE, State.DELETING)),
    ],
)
def test_a_request_answers_202_and_begins_an_execution(
    send: Send, aws: Any, case: str, device: Any, expected: tuple[Action, State]
) -> None:
    aws.has(device)

    status, shown, _ = send(case)

    stored = aws.store.find("gate-3")
    assert (status, shown) == (202, stored.to_json())
    assert (stored.action, stored.state) == expected
    assert stored.generation == device.generation + 1
    assert aws.execution(f"gate-3-{stored.generation}")["input"]["action"] == stored.action


@pytest.mark.parametrize(("case", "device"), [("start", a_device()), ("stop", a_stopped_device())])
def test_what_is_so_already_answers_200(send: Send, aws: Any, case: str, device: Any) -> None:
    aws.has(device)

    assert send(case)[:2] == (200, device.to_json())
    assert aws.executions() == []


def test_while_a_device_is_busy_a_request_answers_409_and_when_to_come_back(send: Send, aws: Any) -> None:
    send("register")
    before = aws.store.find("gate-3")

    status, problem, headers = send("stop")

    assert (status, headers["Retry-After"]) == (409, "2")
    assert "start" in problem["detail"]
    assert aws.store.find("gate-3") == before


def test_a_device_whose_execution_ended_badly_can_be_asked_again(send: Send, aws: Any) -> None:
    send("register")
    aws.stop(f"gate-3-{aws.store.find('gate-3').generation}")

    status, device, _ = send("start")

    assert (status, device["state"]) == (202, State.PROVISIONING)
    assert len(aws.executions()) == 2


def test_a_repeated_deletion_answers_202_with_the_same_execution(send: Send, aws: Any) -> None:
    aws.has(a_device())

    first, again = send("remove"), send("remove")

    assert (first[0], again[0], first[1]) == (202, 202, again[1])
    assert len(aws.executions()) == 1


def test_credentials_are_lent_for_an_hour_and_never_cached(send: Send, aws: Any) -> None:
    aws.has(a_device())

    status, lent, headers = send("lend_credentials")

    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert set(lent) == {
        "access_key_id",
        "secret_access_key",
        "session_token",
        "expiration",
        "video_stream_arn",
        "region",
    }
    assert (lent["video_stream_arn"], lent["region"]) == (VIDEO_STREAM_ARN, "us-east-1")


def test_there_are_no_credentials_before_there_is_a_video_stream(send: Send, aws: Any) -> None:
    aws.has(a_device(video_stream_arn=None, state=State.PROVISIONING))

    status, _, headers = send("lend_credentials")

    assert (status, headers["Retry-After"]) == (409, "2")


def test_neither_names_nor_secrets_reach_the_log(
    send: Send, aws: Any, function: Callable[[str], ModuleType]
) -> None:
    aws.has(a_device())
    written = io.StringIO()
    log = function("devices_api.handler").logger.registered_handler
    before = log.setStream(written)

    _, lent, _ = send("lend_credentials")
    send("stop")

    log.setStream(before)
    secrets = [lent["session_token"], lent["secret_access_key"], lent["access_key_id"], "Gate 3", "Bearer"]
    assert '"device_id":"gate-3"' in written.getvalue()
    assert [secret for secret in secrets if secret in written.getvalue()] == []


def test_a_registration_is_counted(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    send("register")

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [each["DeviceRegistered"] for each in counted] == [[1.0]]
    assert counted[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Sightline"
