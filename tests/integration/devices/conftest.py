"""The devices doors on moto: real tables, a real state machine (it only waits), real roles."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.devices.model import Device
from tests import executions

REGION = "us-east-1"
CAMERA_ROLE_ARN = "arn:aws:iam::123456789012:role/sightline-camera"
WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}


@dataclass
class Aws:
    dynamodb: Any
    stepfunctions: Any
    state_machine_arn: str
    table: str = "devices"

    @property
    def store(self) -> DynamoDeviceStore:
        return DynamoDeviceStore(self.dynamodb, self.table)

    def has(self, device: Device) -> Device:
        assert self.store.add(device)
        return device

    def arn(self, name: str) -> str:
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def stop(self, name: str) -> None:
        executions.stop(self.stepfunctions, self.arn(name))

    def execution(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stepfunctions.describe_execution(executionArn=self.arn(name))
        return {"status": found["status"], "input": json.loads(found["input"])}

    def executions(self) -> list[str]:
        found = self.stepfunctions.list_executions(stateMachineArn=self.state_machine_arn)["executions"]
        return sorted(each["name"] for each in found)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        dynamodb.create_table(
            TableName="devices",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "device_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "device_id", "KeyType": "HASH"}],
        )
        stepfunctions = boto3.client("stepfunctions", region_name=REGION)
        machine = stepfunctions.create_state_machine(
            name="device_lifecycle",
            definition=json.dumps(WAITING),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )["stateMachineArn"]
        for name, value in {
            "DEVICES_TABLE": "devices",
            "DEVICE_LIFECYCLE_ARN": machine,
            "CAMERA_ROLE_ARN": CAMERA_ROLE_ARN,
            "DEFAULT_ENGINE": "stream-processor",
            "STACK_NAME": "sightline",
        }.items():
            monkeypatch.setenv(name, value)
        yield Aws(dynamodb, stepfunctions, machine)


@pytest.fixture
def function(aws: Aws) -> Iterator[Callable[[str], ModuleType]]:
    """A function's module, with nothing kept from another test."""
    loaded: list[ModuleType] = []

    def load(name: str) -> ModuleType:
        loaded.append(importlib.import_module(f"functions.{name}"))
        return loaded[-1]

    yield load
    for module in loaded:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
