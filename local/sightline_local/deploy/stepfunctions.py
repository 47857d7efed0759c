"""AWS::StepFunctions: state machines from a definition file of this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, Checked, OneOf, Place, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.statemachine.definition import check_definition, read_definition
from sightline_local.template.sam import local_path
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _check_definition(resource: Resource, location: Any, _place: Place) -> None:
    check_definition(_file(resource, location), resource.properties.get("DefinitionSubstitutions", {}))


def _file(resource: Resource, location: Any) -> Path:
    place = ("Resources", resource.origin, "Properties", "DefinitionUri")
    return local_path(resource.source, location, *place)


def _make_state_machine(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    file = _file(resource, properties["DefinitionS3Location"])
    name = properties.get("StateMachineName") or site.physical_name(resource.logical_id, longest=80)
    arn = site.client("stepfunctions").create_state_machine(
        name=name,
        definition=read_definition(file, properties.get("DefinitionSubstitutions", {})),
        roleArn=properties["RoleArn"],
        type=properties.get("StateMachineType", "STANDARD"),
    )["stateMachineArn"]
    return Made(arn, {"Arn": arn, "Name": name})


STATE_MACHINE = ResourceType(
    name="AWS::StepFunctions::StateMachine",
    accepts={
        "DefinitionS3Location": Checked(_check_definition),
        "DefinitionSubstitutions": CARRIED,
        "RoleArn": CARRIED,
        "StateMachineName": CARRIED,
        "StateMachineType": OneOf(("STANDARD",)),
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_state_machine,
    attributes=frozenset({"Arn", "Name"}),
    required=frozenset({"DefinitionS3Location", "RoleArn"}),
)
