"""Deploys a template: checks all of it, then makes its resources one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.deploy.resource_type import ResourceType, check_properties
from sightline_local.deploy.site import Site
from sightline_local.deploy.table import RESOURCE_TYPES, kind_of
from sightline_local.errors import DeployError
from sightline_local.template.dynamic_references import KNOWN, resolve_dynamic, services_in
from sightline_local.template.intrinsics import IntrinsicError, as_text, resolve
from sightline_local.template.scope import Made
from sightline_local.template.template import Output, Resource, Template


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource that was made, as CloudFormation lists it."""

    resource: Resource
    made: Made
    at: datetime


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed template."""

    template: Template
    deployed: tuple[Deployed, ...]
    outputs: Mapping[str, str]
    created_at: datetime


def check(template: Template, kinds: Mapping[str, ResourceType] = RESOURCE_TYPES) -> None:
    """Refuse, by name and line, every type, property and attribute that the runtime does not know."""
    by_id = {resource.logical_id: kind_of(resource.type, kinds) for resource in template.resources}
    for resource in template.resources:
        kind = by_id[resource.logical_id]
        if kind is None:
            line = resource.source.line_of("Resources", resource.origin, "Type")
            raise resource.error(f"the local runtime does not know the type {resource.type}", at=line)
        check_properties(resource, kind)
        _check_dynamic_references(resource, kind)
        _check_attributes(template, by_id, resource)
    _check_outputs(template, by_id)


def _check_attributes(
    template: Template, by_id: Mapping[str, ResourceType | None], resource: Resource
) -> None:
    for name, value in resource.properties.items():
        if problem := _unknown_attribute(template, by_id, value):
            raise resource.error(problem, name)


def _check_outputs(template: Template, by_id: Mapping[str, ResourceType | None]) -> None:
    for output in template.outputs:
        if problem := _unknown_attribute(template, by_id, output.value):
            raise template.source.error(f"output {output.name}: {problem}", "Outputs", output.name, "Value")


def _unknown_attribute(
    template: Template, by_id: Mapping[str, ResourceType | None], value: Any
) -> str | None:
    for logical_id, attributes in template.scope.resources_in(value).items():
        kind = by_id.get(logical_id)
        if kind is None or kind.attributes is None:
            continue
        if unknown := attributes - kind.attributes:
            return f"the local runtime does not know the attribute {min(unknown)} of {kind.name}"
    return None


def _check_dynamic_references(resource: Resource, kind: ResourceType) -> None:
    for name, value in resource.properties.items():
        for service in services_in(value):
            if service != KNOWN:
                raise resource.error(f"the local runtime does not know dynamic references to {service}", name)
            if kind.attributes is None:  # AWS does not hand secrets to custom resources
                raise resource.error("a custom resource cannot have dynamic references to secrets", name)


def deploy(
    template: Template,
    site: Site,
    now: Callable[[], datetime],
    progress: Callable[[str], None] = lambda _line: None,
) -> Stack:
    """Make every resource, each after those it refers to; DeployError when the emulated cloud refuses one."""
    created_at = now()
    deployed = []
    for resource in template.resources:
        progress(f"making {resource.logical_id}")
        made = _make(template, resource, site)
        template.scope.made[resource.logical_id] = made
        deployed.append(Deployed(resource, made, now()))
    outputs = {output.name: _output(template, output) for output in template.outputs}
    return Stack(template, tuple(deployed), outputs, created_at)


def _output(template: Template, output: Output) -> str:
    try:
        return as_text("it", resolve(output.value, template.scope))
    except IntrinsicError as error:
        problem = f"output {output.name}: {error}"
        raise template.source.error(problem, "Outputs", output.name, "Value") from error


def _make(template: Template, resource: Resource, site: Site) -> Made:
    properties: Any = resolve(dict(resource.properties), template.scope)
    kind = kind_of(resource.type)
    assert kind is not None  # `check` saw to it
    try:
        properties = resolve_dynamic(properties, site.secret)
        return kind.create(resource, properties, site)
    except ClientError as error:
        reason = f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        raise DeployError(resource.logical_id, resource.type, reason) from error
    except (BotoCoreError, IntrinsicError) as error:
        raise DeployError(resource.logical_id, resource.type, str(error).replace("\n", " ")) from error
