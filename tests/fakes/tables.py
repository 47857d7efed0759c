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
    create_table(client, "watchlists", ["catalogue_id"])
    create_table(client, "faces", ["face_id"], by_person=["person_id", "face_id"])


def create_alert_tables(client: Any) -> None:
    create_table(client, "visits", ["device_id", "person_id"])
    create_alerts_table(client)


def _schema(keys: list[str]) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


def create_alerts_table(client: Any) -> None:
    create_table(
        client,
        "alerts",
        ["alert_id"],
        by_day=["day", "seen_at"],
        by_device=["device_id", "seen_at"],
        by_person=["person_id", "seen_at"],
        pending=["pending", "pending_since"],
    )


def create_sightings_table(client: Any) -> None:
    create_table(client, "sightings", ["device_id", "moment_key"], by_person=["person_id", "moment_key"])
