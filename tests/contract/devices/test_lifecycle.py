"""What every lifecycle promises: the fake of the unit tests, and Step Functions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from sightline.devices.model import Device, Progress
from sightline.devices.service import Lifecycle
from sightline.devices.stepfunctions import StepFunctionsLifecycle
from tests import executions
from tests.builders import a_device
from tests.fakes.devices import FakeLifecycle

WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}

Finish = Callable[[Device], None]


@pytest.fixture(params=["fake", "stepfunctions"])
def world(request: pytest.FixtureRequest) -> Iterator[tuple[Lifecycle, Finish]]:
    if request.param == "fake":
        fake = FakeLifecycle()
        yield fake, fake.finish
        return
    with mock_aws():
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name="device_lifecycle",
            definition=json.dumps(WAITING),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )["stateMachineArn"]

        def finish(device: Device) -> None:
            name = f"{device.device_id}-{device.generation}"
            executions.stop(client, machine.replace(":stateMachine:", ":execution:") + f":{name}")

        yield StepFunctionsLifecycle(client, machine), finish


def test_an_execution_that_was_not_begun_is_not_found(world: tuple[Lifecycle, Finish]) -> None:
    lifecycle, _ = world

    assert lifecycle.progress(a_device()) is Progress.NOT_FOUND


def test_an_execution_is_under_way_until_it_is_over(world: tuple[Lifecycle, Finish]) -> None:
    lifecycle, finish = world
    device = a_device()

    lifecycle.begin(device)
    before = lifecycle.progress(device)
    finish(device)

    assert (before, lifecycle.progress(device)) == (Progress.UNDER_WAY, Progress.OVER)


def test_to_begin_again_is_harmless_also_when_it_is_over(world: tuple[Lifecycle, Finish]) -> None:
    lifecycle, finish = world
    device = a_device()
    lifecycle.begin(device)

    lifecycle.begin(device)
    finish(device)
    lifecycle.begin(device)

    assert lifecycle.progress(device) is Progress.OVER


def test_each_generation_has_an_execution_of_its_own(world: tuple[Lifecycle, Finish]) -> None:
    lifecycle, finish = world
    first = a_device()
    second = replace(first, generation=first.generation + 1)
    lifecycle.begin(first)
    finish(first)

    lifecycle.begin(second)

    assert (lifecycle.progress(first), lifecycle.progress(second)) == (Progress.OVER, Progress.UNDER_WAY)
