"""AWS::Logs: log groups and streams. What functions print goes to files of this machine instead."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_log_group(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("LogGroupName") or site.physical_name(resource.logical_id, longest=512)
    site.client("logs").create_log_group(logGroupName=name)
    return Made(name, {"Arn": site.arn("logs", f"log-group:{name}:*")})


LOG_GROUP = ResourceType(
    name="AWS::Logs::LogGroup",
    accepts={"LogGroupName": CARRIED, "RetentionInDays": WITHOUT_EFFECT, "Tags": WITHOUT_EFFECT},
    create=_make_log_group,
    attributes=frozenset({"Arn"}),
)


def _make_log_stream(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("LogStreamName") or site.physical_name(resource.logical_id, longest=512)
    site.client("logs").create_log_stream(logGroupName=properties["LogGroupName"], logStreamName=name)
    return Made(name, {})


LOG_STREAM = ResourceType(
    name="AWS::Logs::LogStream",
    accepts={"LogGroupName": CARRIED, "LogStreamName": CARRIED},
    create=_make_log_stream,
    required=frozenset({"LogGroupName"}),
)
