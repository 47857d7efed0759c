"""AWS::SNS: topics and their subscriptions."""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.policy_documents import RESOURCE_POLICY, check_made
from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.iam.documents import Kind
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_topic(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("TopicName") or site.physical_name(resource.logical_id)
    given = ("DisplayName", "KmsMasterKeyId", "SignatureVersion")
    shown = {key: str(properties[key]) for key in given if key in properties}
    arn = site.client("sns").create_topic(Name=name, Attributes=shown)["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": name})


TOPIC = ResourceType(
    name="AWS::SNS::Topic",
    accepts={
        "DisplayName": CARRIED,
        "KmsMasterKeyId": CARRIED,
        "SignatureVersion": OneOf(("1", "2")),
        "Tags": WITHOUT_EFFECT,
        "TopicName": CARRIED,
    },
    create=_make_topic,
    attributes=frozenset({"TopicArn", "TopicName"}),
)


def _make_subscription(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    attributes = {}
    for name in ("FilterPolicy", "RedrivePolicy"):
        if name in properties:
            attributes[name] = json.dumps(properties[name])
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
        # Subscriptions by e-mail and SMS are there, and nothing is sent from here.
        "Protocol": OneOf(("email", "email-json", "http", "https", "lambda", "sms", "sqs")),
        "RawMessageDelivery": CARRIED,
        "RedrivePolicy": {"deadLetterTargetArn": CARRIED},
        "TopicArn": CARRIED,
    },
    create=_make_subscription,
    attributes=frozenset({"Arn"}),
    required=frozenset({"Endpoint", "Protocol", "TopicArn"}),
)


def _make_policy(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    check_made(resource, Kind.RESOURCE, site, properties["PolicyDocument"])
    policy = json.dumps(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        site.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return Made(site.physical_name(resource.logical_id))


TOPIC_POLICY = ResourceType(
    name="AWS::SNS::TopicPolicy",
    accepts={"PolicyDocument": RESOURCE_POLICY, "Topics": CARRIED},
    create=_make_policy,
    required=frozenset({"PolicyDocument", "Topics"}),
)
