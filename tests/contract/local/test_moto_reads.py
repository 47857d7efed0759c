"""One test per patch of how moto reads its tables; see test_moto_patches.py."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from sightline_local.cloud import patches
from sightline_local.cloud.patches import reads

_KEYS = [("pk", "HASH", "S"), ("sk", "RANGE", "N")]


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    with mock_aws():
        yield
    patches.undo()


@pytest.fixture
def db() -> Any:
    """Twenty devices with ten rows each, and an index by site."""
    db = boto3.client("dynamodb", region_name="us-east-1")
    db.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            *({"AttributeName": name, "AttributeType": kind} for name, _, kind in _KEYS),
            {"AttributeName": "site", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": name, "KeyType": role} for name, role, _ in _KEYS],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_site",
                "KeySchema": [{"AttributeName": "site", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    for device in range(20):
        for number in range(10, 0, -1):
            key = {"pk": {"S": f"d{device}"}, "sk": {"N": str(number)}}
            db.put_item(TableName="t", Item={**key, "site": {"S": f"s{device % 2}"}})
    return db


def _pages(db: Any, **more: Any) -> list[tuple[str, int]]:
    found = db.get_paginator("query").paginate(TableName="t", PaginationConfig={"PageSize": 3}, **more)
    return [(item["pk"]["S"], int(item["sk"]["N"])) for page in found for item in page["Items"]]


def _of_device(db: Any, **more: Any) -> list[tuple[str, int]]:
    condition = {"KeyConditionExpression": "pk = :d", "ExpressionAttributeValues": {":d": {"S": "d3"}}}
    return _pages(db, **condition, **more)


def _of_site(db: Any) -> list[tuple[str, int]]:
    condition = {"KeyConditionExpression": "site = :s", "ExpressionAttributeValues": {":s": {"S": "s1"}}}
    return _pages(db, IndexName="by_site", **condition)


def test_a_query_looks_only_at_the_items_of_its_key(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    all_items = Table.all_items

    def counted(self: Table) -> list[Any]:
        found = all_items(self)
        looked.append(len(found))
        return found

    monkeypatch.setattr(Table, "all_items", counted)
    before = _of_device(db), _of_device(db, ScanIndexForward=False), _of_site(db)  # moto alone
    assert looked[0] == 200
    reads.look_only_under_the_hash_key()
    looked.clear()
    after = _of_device(db), _of_device(db, ScanIndexForward=False), _of_site(db)
    assert looked[0] == 10
    assert after == before
    assert after[0] == [("d3", number) for number in range(1, 11)]
    assert len(after[2]) == 100
    assert _pages(db, KeyConditionExpression="pk = :d", ExpressionAttributeValues={":d": {"S": "d9"}}) != []
    assert _pages(db, KeyConditionExpression="pk = :d", ExpressionAttributeValues={":d": {"S": "no"}}) == []


def test_a_scan_converts_each_key_once(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    less = DynamoType.__lt__

    def counted(self: DynamoType, other: DynamoType) -> bool:
        compared.append(1)
        return less(self, other)

    monkeypatch.setattr(DynamoType, "__lt__", counted)
    before = db.scan(TableName="t")["Items"]  # moto alone
    assert compared
    reads.sort_by_values()
    compared.clear()
    assert db.scan(TableName="t")["Items"] == before
    assert not compared
