"""CloudFormation, read only: the one deployed stack, its resources and its outputs."""

import json
from typing import Any

from sightline_local.cloud.service import RawResponse, ServiceError, unknown_operation
from sightline_local.deploy.stack import Deployed, Stack
from sightline_local.iam import Caller
from sightline_local.template.template import Template


class CloudFormationService:
    """Answers for one stack; `stack` is set when it is deployed."""

    def __init__(self) -> None:
        self.stack: Stack | None = None

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any] | RawResponse:  # noqa: ARG002
        name = params.get("StackName")
        if operation == "DescribeStacks":
            return {"Stacks": [_describe(stack) for stack in self._stacks(name)]}
        if operation == "ListStacks":
            return {"StackSummaries": [_summary(stack) for stack in self._stacks(None)]}
        if operation == "DescribeStackResources":
            return {
                "StackResources": [
                    _resource(stack, one) for stack in self._stacks(name) for one in stack.deployed
                ]
            }
        if operation == "DescribeStackResource":
            return {"StackResourceDetail": self._one_resource(name, params["LogicalResourceId"])}
        if operation == "ListStackResources":
            return {
                "StackResourceSummaries": [
                    _resource_summary(one) for stack in self._stacks(name) for one in stack.deployed
                ]
            }
        if operation == "GetTemplate":
            return {"TemplateBody": json.dumps(self._stacks(name)[0].template.source.document)}
        raise unknown_operation("cloudformation", operation)

    def _stacks(self, name: str | None) -> list[Stack]:
        stack = self.stack
        if name is None:
            return [stack] if stack else []
        if stack is None or name not in (stack.template.identity.name, stack.template.identity.stack_id):
            raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
        return [stack]

    def _one_resource(self, name: str | None, logical_id: str) -> dict[str, Any]:
        for stack in self._stacks(name):
            for deployed in stack.deployed:
                if deployed.resource.logical_id == logical_id:
                    return _common(stack) | _resource_summary(deployed)
        raise ServiceError("ValidationError", f"Resource {logical_id} does not exist for stack {name}")


def _common(stack: Stack) -> dict[str, Any]:
    identity = stack.template.identity
    return {"StackName": identity.name, "StackId": identity.stack_id}


def _summary(stack: Stack) -> dict[str, Any]:
    return {**_common(stack), "CreationTime": stack.created_at, "StackStatus": "CREATE_COMPLETE"}


def _describe(stack: Stack) -> dict[str, Any]:
    template = stack.template
    descriptions = {output.name: output.description for output in template.outputs}
    outputs = [_output(name, value, descriptions.get(name)) for name, value in stack.outputs.items()]
    parameters = [
        {"ParameterKey": name, "ParameterValue": _shown(template, name)} for name in template.parameters
    ]
    description = {"Description": template.description} if template.description else {}
    return {**_summary(stack), **description, "Parameters": parameters, "Outputs": outputs}


def _shown(template: Template, name: str) -> str:
    if str(template.source.document["Parameters"][name].get("NoEcho", False)).lower() == "true":
        return "****"
    value = template.parameters[name]
    return ",".join(value) if isinstance(value, list) else value


def _output(name: str, value: str, description: str | None) -> dict[str, str]:
    output = {"OutputKey": name, "OutputValue": value}
    return output | {"Description": description} if description else output


def _resource(stack: Stack, deployed: Deployed) -> dict[str, Any]:
    return {
        **_common(stack),
        "LogicalResourceId": deployed.resource.logical_id,
        "PhysicalResourceId": deployed.made.physical_id,
        "ResourceType": deployed.resource.type,
        "ResourceStatus": "CREATE_COMPLETE",
        "Timestamp": deployed.at,
    }


def _resource_summary(deployed: Deployed) -> dict[str, Any]:
    return {
        "LogicalResourceId": deployed.resource.logical_id,
        "PhysicalResourceId": deployed.made.physical_id,
        "ResourceType": deployed.resource.type,
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": deployed.at,
    }
