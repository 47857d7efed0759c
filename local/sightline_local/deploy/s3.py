"""AWS::S3: buckets."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_bucket(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    stack = site.stack
    name = properties.get("BucketName") or site.physical_name(resource.logical_id, longest=63).lower()
    # us-east-1 is the one region that must not be named.
    place = {} if stack.region == "us-east-1" else {"LocationConstraint": stack.region}
    configuration = {"CreateBucketConfiguration": place} if place else {}
    site.client("s3").create_bucket(Bucket=name, **configuration)
    attributes = {
        "Arn": f"arn:{stack.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{stack.url_suffix}",
        "RegionalDomainName": f"{name}.s3.{stack.region}.{stack.url_suffix}",
    }
    return Made(name, attributes)


BUCKET = ResourceType(
    name="AWS::S3::Bucket",
    accepts={
        "BucketEncryption": WITHOUT_EFFECT,  # objects stay in this process's memory
        "BucketName": CARRIED,
        "LifecycleConfiguration": WITHOUT_EFFECT,  # the bucket ends before its objects expire
        "PublicAccessBlockConfiguration": WITHOUT_EFFECT,  # every request needs keys
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_bucket,
    attributes=frozenset({"Arn", "DomainName", "RegionalDomainName"}),
)
