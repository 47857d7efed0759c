"""AWS::DynamoDB: tables with their indexes."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_GIVEN_ON = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
)


def _make_table(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("TableName") or site.physical_name(resource.logical_id)
    settings = {key: properties[key] for key in _GIVEN_ON if key in properties}
    dynamodb = site.client("dynamodb")
    table = dynamodb.create_table(TableName=name, **settings)["TableDescription"]
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    return Made(name, {"Arn": table["TableArn"]})


TABLE = ResourceType(
    name="AWS::DynamoDB::Table",
    accepts={
        "AttributeDefinitions": CARRIED,
        "BillingMode": OneOf(("PAY_PER_REQUEST",)),
        "GlobalSecondaryIndexes": CARRIED,
        "KeySchema": CARRIED,
        "LocalSecondaryIndexes": CARRIED,
        "PointInTimeRecoverySpecification": WITHOUT_EFFECT,  # the table ends with the runtime
        "SSESpecification": WITHOUT_EFFECT,
        "TableName": CARRIED,
        "Tags": WITHOUT_EFFECT,
        # Described, and expired items stay: AWS itself takes up to days to delete them.
        "TimeToLiveSpecification": {"AttributeName": CARRIED, "Enabled": CARRIED},
    },
    create=_make_table,
    attributes=frozenset({"Arn"}),
    required=frozenset({"AttributeDefinitions", "BillingMode", "KeySchema"}),
)
