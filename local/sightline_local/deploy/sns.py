"""AWS::SNS: topics and their subscriptions."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_topic(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("TopicName") or site.physical_name(resource.logical_id)
    shown = {key: str(properties[key]) for key in ("DisplayName", "KmsMasterKeyId") if key in properties}
    arn = site.client("sns").create_topic(Name=name, Attributes=shown)["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": name})


TOPIC = ResourceType(
    name="AWS::SNS::Topic",
    accepts={
        "DisplayName": CARRIED,
        "KmsMasterKeyId": CARRIED,
        "Tags": WITHOUT_EFFECT,
        "TopicName": CARRIED,
    },
    create=_make_topic,
    attributes=frozenset({"TopicArn", "TopicName"}),
)


def _make_subscription(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    attributes = {}
    if "FilterPolicy" in properties:
        attributes["FilterPolicy"] = json.dumps(properties["FilterPolicy"])
    for name in ("FilterPolicyScope", "RawMessageDelivery"):
        if name in properties:
            value = properties[name]
            attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
    arn = site.client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Made(arn, {"Arn": arn})


SUBSCRIPTION = ResourceType(
    name="AWS::SNS::Subscription",
    accepts={
        "Endpoint": CARRIED,
        "FilterPolicy": CARRIED,
        "FilterPolicyScope": CARRIED,
        "Protocol": OneOf(("email", "sqs")),  # a subscription by e-mail is there, and gets no mail from here
        "RawMessageDelivery": CARRIED,
        "TopicArn": CARRIED,
    },
    create=_make_subscription,
    attributes=frozenset({"Arn"}),
    required=frozenset({"Endpoint", "Protocol", "TopicArn"}),
)
