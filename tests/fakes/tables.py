"""Tables as template.yaml describes them, for tests on moto."""

from typing import Any


def create_table(client: Any, name: str, key: list[str], **index: list[str]) -> None:
    """`key` and the keys of each index: the hash key, then the range key."""
    names = sorted({*key, *(each for keys in index.values() for each in keys)})
    indexes = [
        {"IndexName": index_name, "KeySchema": _schema(keys), "Projection": {"ProjectionType": "ALL"}}
        for index_name, keys in index.items()
    ]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in names],
        KeySchema=_schema(key),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )


def create_watchlist_tables(client: Any) -> None:
    create_table(client, "people", ["person_id"])
    create_table(client, "faces", ["face_id"], by_person=["person_id", "face_id"])


def _schema(keys: list[str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]
