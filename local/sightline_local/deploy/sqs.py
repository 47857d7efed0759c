"""AWS::SQS: standard queues."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.policy_documents import RESOURCE_POLICY, check_made
from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.iam.documents import Kind
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_SETTINGS = (
    *("DelaySeconds", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy"),
    "VisibilityTimeout",
)


def _make_queue(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("QueueName") or site.physical_name(resource.logical_id, longest=80)
    attributes = {key: _as_text(properties[key]) for key in _SETTINGS if key in properties}
    url = site.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return Made(url, {"Arn": site.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


QUEUE = ResourceType(
    name="AWS::SQS::Queue",
    accepts={
        **dict.fromkeys(_SETTINGS, CARRIED),
        "KmsMasterKeyId": WITHOUT_EFFECT,
        "QueueName": CARRIED,
        "SqsManagedSseEnabled": WITHOUT_EFFECT,
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_queue,
    attributes=frozenset({"Arn", "QueueName", "QueueUrl"}),
)


def _make_policy(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    check_made(resource, Kind.RESOURCE, site, properties["PolicyDocument"])
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        site.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Made(site.physical_name(resource.logical_id))


QUEUE_POLICY = ResourceType(
    name="AWS::SQS::QueuePolicy",
    accepts={"PolicyDocument": RESOURCE_POLICY, "Queues": CARRIED},
    create=_make_policy,
    required=frozenset({"PolicyDocument", "Queues"}),
)
