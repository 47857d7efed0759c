"""What requests around alerts and evidence need: schedules, topics, transactions, indexes, objects, clips."""

from typing import Any

import pytest

from sightline_local.iam.arns import Place
from sightline_local.iam.resources import action_of, needs

PLACE = Place("123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/r"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:us-east-1:123456789012:{rest}"


def needed(service: str, operation: str, **params: Any) -> list[tuple[str, str]] | None:
    found = needs(PLACE, action_of(service, operation), params)
    return None if found is None else [(need.action, need.resource) for need in found]


def test_a_schedule_needs_itself_and_the_passing_of_its_role() -> None:
    found = needs(
        PLACE,
        action_of("scheduler", "CreateSchedule"),
        {"Name": "s", "Target": {"Arn": "x", "RoleArn": ROLE}},
    )
    assert found is not None
    assert [(need.action, need.resource) for need in found] == [
        ("scheduler:CreateSchedule", arn("scheduler", "schedule/default/s")),
        ("iam:PassRole", ROLE),
    ]
    assert found[1].context == {"iam:PassedToService": "scheduler.amazonaws.com"}


def test_a_transaction_needs_each_action_on_each_table_and_not_its_own_name() -> None:
    items = [
        {"Put": {"TableName": "alerts"}},
        {"Update": {"TableName": "visits"}},
        {"ConditionCheck": {"TableName": "people"}},
        {"Delete": {"TableName": "faces"}},
    ]
    assert needed("dynamodb", "TransactWriteItems", TransactItems=items) == [
        ("dynamodb:PutItem", arn("dynamodb", "table/alerts")),
        ("dynamodb:UpdateItem", arn("dynamodb", "table/visits")),
        ("dynamodb:ConditionCheckItem", arn("dynamodb", "table/people")),
        ("dynamodb:DeleteItem", arn("dynamodb", "table/faces")),
    ]


@pytest.mark.parametrize(
    ("service", "operation", "params", "action", "resource"),
    [
        ("scheduler", "GetSchedule", {"Name": "s"}, "scheduler:GetSchedule", "scheduler schedule/default/s"),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            "dynamodb:Query",
            "dynamodb table/t/index/i",
        ),
        (
            "dynamodb",
            "BatchWriteItem",
            {"RequestItems": {"t": []}},
            "dynamodb:BatchWriteItem",
            "dynamodb table/t",
        ),
        (
            *("rekognition", "SearchFacesByImage", {"CollectionId": "c"}),
            *("rekognition:SearchFacesByImage", "rekognition collection/c"),
        ),
        (
            *("kinesisvideo", "GetClip", {"StreamARN": arn("kinesisvideo", "stream/v/1")}),
            *("kinesisvideo:GetClip", "kinesisvideo stream/v/1"),
        ),
        (
            *("kinesisvideo", "GetImages", {"StreamARN": arn("kinesisvideo", "stream/v/1")}),
            *("kinesisvideo:GetImages", "kinesisvideo stream/v/1"),
        ),
        ("sns", "ConfirmSubscription", {"TopicArn": arn("sns", "t")}, "sns:ConfirmSubscription", "sns t"),
    ],
)
def test_a_request_needs_its_action_on_its_resource(
    service: str, operation: str, params: dict[str, Any], action: str, resource: str
) -> None:
    prefix, _, rest = resource.partition(" ")
    assert needed(service, operation, **params) == [(action, arn(prefix, rest))]
