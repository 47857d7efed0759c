"""AWS::S3: buckets."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.policy_documents import RESOURCE_POLICY, check_made
from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.errors import DeployError
from sightline_local.iam.documents import Kind
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_bucket(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    stack = site.stack
    name = properties.get("BucketName") or site.physical_name(resource.logical_id, longest=63).lower()
    # us-east-1 is the one region that must not be named.
    place = {} if stack.region == "us-east-1" else {"LocationConstraint": stack.region}
    configuration = {"CreateBucketConfiguration": place} if place else {}
    s3 = site.client("s3")
    s3.create_bucket(Bucket=name, **configuration)
    if rules := properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"):
        settings = {"Rules": [_api_rule(rule) for rule in rules]}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=settings)
    if rules := properties.get("CorsConfiguration", {}).get("CorsRules"):
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [_cors_rule(r) for r in rules]})
    attributes = {
        "Arn": f"arn:{stack.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{stack.url_suffix}",
        "RegionalDomainName": f"{name}.s3.{stack.region}.{stack.url_suffix}",
    }
    return Made(name, attributes)


def _api_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's names are the API's but for this one."""
    renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {renamed.get(name, name): value for name, value in rule.items()}


def _cors_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {renamed.get(name, name): value for name, value in rule.items()}


BUCKET = ResourceType(
    name="AWS::S3::Bucket",
    accepts={
        "BucketEncryption": CARRIED,  # described; objects stay in this process's memory as they are
        "BucketName": CARRIED,
        "CorsConfiguration": CARRIED,
        "LifecycleConfiguration": WITHOUT_EFFECT,  # the bucket ends before its objects expire
        "OwnershipControls": WITHOUT_EFFECT,  # there are no other accounts
        "PublicAccessBlockConfiguration": WITHOUT_EFFECT,  # every request needs keys
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_bucket,
    attributes=frozenset({"Arn", "DomainName", "RegionalDomainName"}),
)


def _make_policy(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    bucket, document = properties["Bucket"], properties["PolicyDocument"]
    check_made(resource, Kind.RESOURCE, site, document)
    for statement in _listed(document["Statement"]):
        for text in _listed(statement.get("Resource", statement.get("NotResource"))):
            if text.rpartition(":::")[2].partition("/")[0] != bucket:
                reason = f"MalformedPolicy: the policy of {bucket} speaks of {text}"
                raise DeployError(resource.logical_id, resource.type, reason)
    site.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    return Made(bucket)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


BUCKET_POLICY = ResourceType(
    name="AWS::S3::BucketPolicy",
    accepts={"Bucket": CARRIED, "PolicyDocument": RESOURCE_POLICY},
    create=_make_policy,
    required=frozenset({"Bucket", "PolicyDocument"}),
)
