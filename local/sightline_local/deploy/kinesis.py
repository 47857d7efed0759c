"""AWS::Kinesis: data streams with a given number of shards."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_SHORTEST_RETENTION_HOURS = 24  # what a new stream has


def _make_stream(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    kinesis = site.client("kinesis")
    name = properties.get("Name") or site.physical_name(resource.logical_id, longest=128)
    kinesis.create_stream(StreamName=name, ShardCount=int(properties["ShardCount"]))
    hours = int(properties.get("RetentionPeriodHours", _SHORTEST_RETENTION_HOURS))
    _retain(kinesis, name, hours)
    return Made(name, {"Arn": site.arn("kinesis", f"stream/{name}")})


def _retain(kinesis: Any, name: str, hours: int) -> None:
    """A stream that was kept over a restart may have had another retention."""
    now = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["RetentionPeriodHours"]
    if hours > now:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)
    elif hours < now:
        kinesis.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


STREAM = ResourceType(
    name="AWS::Kinesis::Stream",
    accepts={
        "Name": CARRIED,
        "RetentionPeriodHours": CARRIED,
        "ShardCount": CARRIED,
        "StreamEncryption": WITHOUT_EFFECT,  # records stay in this process's memory
        "StreamModeDetails": {"StreamMode": OneOf(("PROVISIONED",))},
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_stream,
    attributes=frozenset({"Arn"}),
    required=frozenset({"ShardCount"}),
)
