"""AWS::IAM: roles with their trust, their inline policies and the managed policies of AWS."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.policy_documents import IDENTITY_POLICY, TRUST_POLICY, check_made
from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ListOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.iam.documents import Kind
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_role(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    check_made(resource, Kind.TRUST, site, properties["AssumeRolePolicyDocument"])
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    check_made(resource, Kind.IDENTITY, site, *documents)
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
        "AssumeRolePolicyDocument": TRUST_POLICY,
        "Description": CARRIED,
        "ManagedPolicyArns": CARRIED,
        "Path": CARRIED,
        "Policies": ListOf({"PolicyName": CARRIED, "PolicyDocument": IDENTITY_POLICY}),
        "RoleName": CARRIED,
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_role,
    attributes=frozenset({"Arn", "RoleId"}),
    required=frozenset({"AssumeRolePolicyDocument"}),
)
