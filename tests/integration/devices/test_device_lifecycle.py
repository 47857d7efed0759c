"""The Lambda tasks of the state machine, called with what it sends."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.builders import a_device, a_lambda_context

Load = Callable[[str], ModuleType]
Read = Callable[[str], dict[str, Any]]

CONTEXT = a_lambda_context("plan_device", "eu-west-1", "111122223333")


@pytest.mark.parametrize("case", ["plan_start", "plan_stop", "plan_delete"])
def test_a_wanted_request_is_planned(function: Load, event: Read, aws: Any, case: str) -> None:
    aws.has(a_device(generation=1795348800000))
    plan_device = function("device_lifecycle.plan_device")

    planned = plan_device.lambda_handler(event(f"plan_device/{case}"), CONTEXT)

    assert planned["action"] == case.removeprefix("plan_")
    assert planned["face_stream_arn"].startswith("arn:aws:kinesis:eu-west-1:111122223333:stream/")


def test_a_replaced_request_is_not(function: Load, event: Read, aws: Any) -> None:
    aws.has(a_device(generation=1795348800001))
    plan_device = function("device_lifecycle.plan_device")

    planned = plan_device.lambda_handler(event("plan_device/plan_start"), CONTEXT)

    assert planned["action"] == "none"


def test_a_failure_is_explained_and_what_was_made_goes_again(function: Load, event: Read) -> None:
    sent = event("explain_failure/role_not_trusted")

    explained = function("device_lifecycle.explain_failure").lambda_handler(sent, CONTEXT)

    assert explained["plan"] == sent["plan"] | {"remove_face_stream": True, "remove_video_stream": True}
    assert explained["reason"].startswith("Rekognition may not assume its role")


def test_a_video_stream_that_was_there_before_stays(function: Load, event: Read) -> None:
    sent = event("explain_failure/ten_processors_run")

    explained = function("device_lifecycle.explain_failure").lambda_handler(sent, CONTEXT)

    assert explained["plan"]["remove_face_stream"]
    assert not explained["plan"]["remove_video_stream"]
    assert "10 in each Region" in explained["reason"]
