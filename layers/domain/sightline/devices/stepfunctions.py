"""The machine `device_lifecycle`: one execution per request, named after device and generation."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.devices.model import Device, Progress
from sightline.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class StepFunctionsLifecycle:
    """`client` is a boto3 Step Functions client."""

    client: Any
    state_machine_arn: str

    def begin(self, device: Device) -> None:
        execution = {"device_id": device.device_id, "action": device.action, "generation": device.generation}
        try:
            with busy_means_unavailable("Step Functions"):
                self.client.start_execution(
                    stateMachineArn=self.state_machine_arn, name=_name(device), input=json.dumps(execution)
                )
        except ClientError as error:
            if error_code(error) == "ExecutionLimitExceeded":
                raise UnavailableError(
                    "Too many devices are changing at once; try again in a moment."
                ) from error
            # The same name and input is success while it runs; AWS refuses it once the execution is over.
            if error_code(error) != "ExecutionAlreadyExists":
                raise

    def progress(self, device: Device) -> Progress:
        """Eventually consistent: an execution begun this very moment may be NOT_FOUND."""
        try:
            with busy_means_unavailable("Step Functions"):
                found = self.client.describe_execution(executionArn=self._execution_arn(device))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return Progress.NOT_FOUND
            raise
        return Progress.UNDER_WAY if found["status"] in {"RUNNING", "PENDING_REDRIVE"} else Progress.OVER

    def _execution_arn(self, device: Device) -> str:
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{_name(device)}"


def _name(device: Device) -> str:
    # At most 80 characters: 63 of the id, a hyphen, 13 of the generation until the year 2286.
    return f"{device.device_id}-{device.generation}"
