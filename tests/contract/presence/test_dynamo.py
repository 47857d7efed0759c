"""What costs a call, and what DynamoDB may answer."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.deliveries import Delivery
from sightline.errors import UnavailableError
from sightline.presence.dynamo import DynamoPresences
from sightline.presence.dynamo_walk import DynamoKeptPresences
from sightline.presence.model import PresenceSearch
from sightline.presence.service import PresenceRecorder
from tests.builders import SEEN_AT, a_sighting_row
from tests.fakes.aws_clients import FakeAws
from tests.fakes.presence import FakeSetAside
from tests.fakes.tables import create_table

KEPT = timedelta(days=30)


def deliveries(*rows: dict[str, Any]) -> list[Delivery]:
    return [Delivery(f"sn-{n}", json.dumps(row).encode()) for n, row in enumerate(rows)]


def recorder(client: Any) -> PresenceRecorder:
    return PresenceRecorder(
        DynamoPresences(client, "presence", KEPT), FakeSetAside(), "sightings", lambda: SEEN_AT
    )


def test_a_hundred_sightings_of_one_person_in_ten_batches_are_eleven_calls() -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = {"Responses": {}}
    worker = recorder(aws.client("dynamodb"))

    for begin in range(0, 100, 10):
        worker.record_presence(deliveries(*(a_sighting_row(begin + n) for n in range(10))))

    assert aws.names() == ["dynamodb:BatchGetItem", *["dynamodb:PutItem"] * 10]


def test_a_batch_that_comes_again_to_a_worker_that_knows_it_costs_nothing() -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = {"Responses": {}}
    worker = recorder(aws.client("dynamodb"))
    batch = deliveries(a_sighting_row(0), a_sighting_row(1))
    worker.record_presence(batch)
    aws.calls.clear()

    worker.record_presence(batch)

    assert aws.calls == []


def test_what_dynamodb_leaves_out_of_a_batch_is_asked_for_again() -> None:
    aws = FakeAws()
    left = {"presence": {"Keys": [{"person_id": {"S": "ada"}}]}}
    aws.answers["dynamodb", "BatchGetItem"] = [
        {"Responses": {}, "UnprocessedKeys": left},
        {"Responses": {"presence": []}},
    ]

    recorder(aws.client("dynamodb")).record_presence(deliveries(a_sighting_row(0)))

    assert aws.names() == ["dynamodb:BatchGetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"]


@pytest.mark.parametrize("operation", ["BatchGetItem", "PutItem"])
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ThrottlingException", "ResourceNotFoundException"]
)
def test_whatever_dynamodb_refuses_the_batch_comes_again(operation: str, code: str) -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = {"Responses": {}}
    aws.answers["dynamodb", operation] = code

    with pytest.raises(UnavailableError, match=code):
        recorder(aws.client("dynamodb")).record_presence(deliveries(a_sighting_row(0)))


def test_a_write_whose_answer_was_lost_is_recognised_as_done() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "presence", ["person_id"])
        batch = deliveries(a_sighting_row(0))
        forgetful = recorder(client)
        forgetful.presences.read(["ada"])
        recorder(client).record_presence(batch)

        forgetful.record_presence(batch)

        (item,) = client.scan(TableName="presence")["Items"]
        assert item["version"] == {"N": "1"}


def test_an_item_is_forgotten_so_many_days_after_the_person_was_last_seen() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "presence", ["person_id"])
        recorder(client).record_presence(deliveries(a_sighting_row(0), a_sighting_row(90)))
        last = SEEN_AT + timedelta(seconds=90)

        (item,) = client.scan(TableName="presence")["Items"]
        before = DynamoKeptPresences(client, "presence", lambda: last + KEPT - timedelta(seconds=1))
        after = DynamoKeptPresences(client, "presence", lambda: last + KEPT)

        assert item["expires"] == {"N": str(int((last + KEPT).timestamp()))}
        assert before.one("ada") is not None
        assert after.one("ada") is None
        assert list(after.walk(PresenceSearch(), None)) == [([], None)]
