"""AWS::IAM: roles with their trust, their inline policies and the managed policies of AWS."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ListOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_role(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    iam = site.client("iam")
    name = properties.get("RoleName") or site.physical_name(resource.logical_id)
    role = iam.create_role(
        RoleName=name,
        Path=properties.get("Path", "/"),
        Description=properties.get("Description", ""),
        AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
    )["Role"]
    for policy in properties.get("Policies", []):
        # SAM writes policies without a version, which AWS takes and moto does not.
        document = json.dumps({"Version": "2012-10-17", **policy["PolicyDocument"]})
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
    for arn in properties.get("ManagedPolicyArns", []):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


ROLE = ResourceType(
    name="AWS::IAM::Role",
    accepts={
        "AssumeRolePolicyDocument": CARRIED,
        "Description": CARRIED,
        "ManagedPolicyArns": CARRIED,
        "Path": CARRIED,
        "Policies": ListOf({"PolicyName": CARRIED, "PolicyDocument": CARRIED}),
        "RoleName": CARRIED,
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_role,
    attributes=frozenset({"Arn", "RoleId"}),
    required=frozenset({"AssumeRolePolicyDocument"}),
)
