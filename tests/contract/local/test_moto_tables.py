"""One test per patch of moto's tables; see test_moto_patches.py."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from sightline_local.cloud import patches
from sightline_local.cloud.patches import tables

EXACT = "1." + "2" * 38


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    with mock_aws():
        yield
    patches.undo()


@pytest.fixture
def db() -> Any:
    db = boto3.client("dynamodb", region_name="us-east-1")
    db.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return db


def test_a_number_has_thirty_eight_digits(db: Any) -> None:
    item = {"pk": {"S": "a"}, "in": {"L": [{"M": {"n": {"N": EXACT}}}]}}
    db.put_item(TableName="t", Item=item)  # moto alone
    tables.refuse_numbers_that_are_too_exact()
    with pytest.raises(ClientError, match="more than 38 significant digits"):
        db.put_item(TableName="t", Item=item)
    db.put_item(TableName="t", Item={"pk": {"S": "a"}, "n": {"N": EXACT[:-1]}})


def test_a_batch_has_a_key_once_and_twenty_five_at_most(db: Any) -> None:
    requests: list[dict[str, Any]] = [
        {"PutRequest": {"Item": {"pk": {"S": "a"}, "n": {"N": str(n)}}}} for n in range(2)
    ]
    db.batch_write_item(RequestItems={"t": requests})  # moto alone
    tables.check_batches_of_writes()
    requests[1] = {"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}
    with pytest.raises(ClientError, match="item keys contains duplicates"):
        db.batch_write_item(RequestItems={"t": requests})
    many = [{"DeleteRequest": {"Key": {"pk": {"S": str(n)}}}} for n in range(26)]
    with pytest.raises(ClientError, match="Too many items"):
        db.batch_write_item(RequestItems={"t": many})


def test_a_name_that_is_not_defined_is_named(db: Any) -> None:
    given = {
        "TableName": "t",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "SET #n = :v",
        "ExpressionAttributeValues": {":v": {"N": "1"}},
    }
    with pytest.raises(KeyError):
        db.update_item(**given)  # moto alone
    tables.name_attribute_names_that_are_not_defined()
    with pytest.raises(ClientError, match=r"attribute name: #n"):
        db.update_item(**given)


def test_a_transaction_is_done_once_for_its_token(db: Any) -> None:
    def add(token: str, number: str = "1") -> None:
        update = {
            "TableName": "t",
            "Key": {"pk": {"S": "counter"}},
            "UpdateExpression": "ADD n :n",
            "ExpressionAttributeValues": {":n": {"N": number}},
        }
        db.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken=token)

    def counted() -> str:
        return str(db.get_item(TableName="t", Key={"pk": {"S": "counter"}})["Item"]["n"]["N"])

    add("a")
    add("a")
    assert counted() == "2"  # moto alone
    tables.do_a_transaction_once_for_its_token()
    add("b")
    add("b")
    assert counted() == "3"
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        add("b", "2")
