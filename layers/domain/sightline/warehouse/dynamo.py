"""The tables of the application as rows of the warehouse's dimensions; notes and reasons stay here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from sightline.clock import Clock
from sightline.outages import any_failure_means_later
from sightline.warehouse.model import Row
from sightline.watchlist.model import DEFAULT_WATCHLIST

_DESERIALIZE = TypeDeserializer().deserialize
_DEVICE = ("device_id", "name", "site", "time_zone", "engine", "similarity_threshold", "created_at")
_PERSON = ("person_id", "name", "created_at", "expires_at")
_WATCHLIST = ("name", "kind", "severity", "owner", "expires_at")
_ALERT = (
    *("alert_id", "visit_id", "device_id", "person_id", "watchlist_id", "severity", "similarity"),
    *("seen_at", "raised_at", "sent_at"),
)


@dataclass(frozen=True, slots=True)
class DynamoRegisters:
    """`client` is a boto3 DynamoDB client; alerts are read for so many days, as verdicts come late."""

    client: Any
    devices_table: str
    people_table: str
    watchlists_table: str
    alerts_table: str
    alerts_days: int
    clock: Clock

    def rows(self) -> Mapping[str, Sequence[Row]]:
        with any_failure_means_later("DynamoDB"):
            devices = [_device(item) for item in self._scan(self.devices_table)]
            people = list(self._scan(self.people_table))
            alerts = [_alert(item) for item in self._recent_alerts()]
            catalogue = self._scan(self.watchlists_table)
            watchlists = [row for item in catalogue for row in _watchlists(item)]
        return {
            "devices": devices,
            "people": [_person(item) for item in people],
            "memberships": [row for item in people for row in _memberships(item)],
            "watchlists": _with_the_built_in_one(watchlists),
            "alerts": alerts,
        }

    def _scan(self, table: str) -> Iterator[dict[str, Any]]:
        for page in self.client.get_paginator("scan").paginate(TableName=table):
            yield from map(_plain_item, page["Items"])

    def _recent_alerts(self) -> Iterator[dict[str, Any]]:
        today = self.clock()
        for back in range(self.alerts_days):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.alerts_table,
                IndexName="by_day",
                KeyConditionExpression="#day = :day",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues={":day": {"S": f"{today - timedelta(days=back):%Y-%m-%d}"}},
            )
            for page in pages:
                yield from map(_plain_item, page["Items"])


def _plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(_DESERIALIZE(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _picked(names: Sequence[str], item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.get(name) for name in names}


def _device(item: Mapping[str, Any]) -> Row:
    place = item.get("location") or {}
    where = {"latitude": place.get("latitude"), "longitude": place.get("longitude")}
    return _picked(_DEVICE, item) | where


def _person(item: Mapping[str, Any]) -> Row:
    return _picked(_PERSON, item) | {"faces": len(item.get("face_ids", ()))}


def _memberships(item: Mapping[str, Any]) -> list[Row]:
    """People enrolled before there were lists are on the built-in one."""
    lists = item.get("watchlist_ids", [DEFAULT_WATCHLIST.watchlist_id])
    return [{"person_id": item["person_id"], "watchlist_id": each} for each in lists]


def _watchlists(item: Mapping[str, Any]) -> list[Row]:
    return [{"watchlist_id": key, **_picked(_WATCHLIST, each)} for key, each in item["lists"].items()]


def _with_the_built_in_one(rows: Sequence[Row]) -> Sequence[Row]:
    """It is stored only after somebody has changed it."""
    built_in = DEFAULT_WATCHLIST
    if any(row["watchlist_id"] == built_in.watchlist_id for row in rows):
        return rows
    stored = {"name": built_in.name, "kind": built_in.kind, "severity": built_in.severity}
    return [{"watchlist_id": built_in.watchlist_id, **stored}, *rows]


def _alert(item: Mapping[str, Any]) -> Row:
    """Without a review nobody has looked at it."""
    review = item.get("review") or {}
    return _picked(_ALERT, item) | {"status": review.get("status", "open"), "verdict": review.get("verdict")}
