from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline.devices.stepfunctions import StepFunctionsLifecycle
from sightline.errors import UnavailableError
from tests.builders import a_device

MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:device_lifecycle"


class RefusingClient:
    def __init__(self, code: str) -> None:
        self.code = code

    def start_execution(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "StartExecution")

    describe_execution = start_execution


@pytest.mark.parametrize("code", ["ExecutionLimitExceeded", "ThrottlingException"])
def test_too_many_executions_at_once_are_a_reason_to_come_back(code: str) -> None:
    with pytest.raises(UnavailableError):
        StepFunctionsLifecycle(RefusingClient(code), MACHINE_ARN).begin(a_device())


def test_a_refusal_that_nobody_expects_is_not_hidden() -> None:
    lifecycle = StepFunctionsLifecycle(RefusingClient("AccessDeniedException"), MACHINE_ARN)

    with pytest.raises(ClientError):
        lifecycle.begin(a_device())
    with pytest.raises(ClientError):
        lifecycle.progress(a_device())


def test_the_name_of_an_execution_fits_for_the_longest_id() -> None:
    asked: dict[str, Any] = {}

    class Client:
        def start_execution(self, **arguments: Any) -> None:
            asked.update(arguments)

    StepFunctionsLifecycle(Client(), MACHINE_ARN).begin(a_device(device_id="a" * 63))

    assert len(asked["name"]) <= 80
