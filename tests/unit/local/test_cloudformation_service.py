"""CloudFormation answers for the one stack that is deployed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sightline_local.cloud.cloudformation import CloudFormationService
from sightline_local.cloud.service import ServiceError
from sightline_local.deploy.stack import Deployed, Stack
from sightline_local.iam import Caller
from sightline_local.template.scope import Made, StackIdentity
from sightline_local.template.template import load_template

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOMEBODY = Caller("local", "arn:aws:iam::123456789012:user/local", None, "123456789012", is_admin=True)


@pytest.fixture
def service(tmp_path: Path) -> CloudFormationService:
    (tmp_path / "template.yaml").write_text(
        "Description: d\nParameters: {P: {Type: String, Default: x}}\n"
        "Resources: {One: {Type: T}}\nOutputs: {Out: {Value: v, Description: what}}\n"
    )
    identity = StackIdentity("demo", "us-east-1", "123456789012")
    template = load_template(tmp_path / "template.yaml", identity, {})
    service = CloudFormationService()
    deployed = Deployed(template.resources[0], Made("one-1"), NOW)
    service.stack = Stack(template, (deployed,), {"Out": "v"}, NOW)
    return service


def test_the_stack_is_found_by_name_and_by_id(service: CloudFormationService) -> None:
    (stack,) = service.handle("DescribeStacks", {"StackName": "demo"}, SOMEBODY)["Stacks"]  # type: ignore[index]
    assert stack["Outputs"] == [{"OutputKey": "Out", "OutputValue": "v", "Description": "what"}]
    assert stack["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "x"}]
    assert service.handle("DescribeStacks", {"StackName": stack["StackId"]}, SOMEBODY) == {"Stacks": [stack]}
    assert service.handle("DescribeStacks", {}, SOMEBODY) == {"Stacks": [stack]}


@pytest.mark.parametrize("operation", ["DescribeStacks", "ListStackResources", "DescribeStackResources"])
def test_another_stack_does_not_exist(service: CloudFormationService, operation: str) -> None:
    with pytest.raises(ServiceError, match="Stack with id other does not exist"):
        service.handle(operation, {"StackName": "other"}, SOMEBODY)


def test_a_resource_is_described_by_its_logical_id(service: CloudFormationService) -> None:
    asked = {"StackName": "demo", "LogicalResourceId": "One"}
    detail = service.handle("DescribeStackResource", asked, SOMEBODY)["StackResourceDetail"]  # type: ignore[index]
    assert detail["PhysicalResourceId"] == "one-1"
    with pytest.raises(ServiceError, match="Resource Two does not exist"):
        service.handle("DescribeStackResource", {**asked, "LogicalResourceId": "Two"}, SOMEBODY)


def test_while_nothing_is_deployed_there_is_no_stack() -> None:
    assert CloudFormationService().handle("DescribeStacks", {}, SOMEBODY) == {"Stacks": []}


def test_a_stack_cannot_be_changed_through_it(service: CloudFormationService) -> None:
    with pytest.raises(ServiceError, match="does not emulate cloudformation:DeleteStack"):
        service.handle("DeleteStack", {"StackName": "demo"}, SOMEBODY)
