"""The alerts table: what is written of an alert, and what is still to be sent; and the last sighting."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from sightline.alerts.model import SEVERITY_OF_UNKNOWN, Notification
from sightline.alerts.visit_log import PendingAlert, RaisedAlert, VisitLog
from sightline.aws import error_code
from sightline.clock import from_iso, to_iso
from sightline.outages import any_failure_means_later
from sightline.sightings.model import UNKNOWN_PERSON

_SERIALIZE = TypeSerializer().serialize


@dataclass(frozen=True, slots=True)
class DynamoPendingAlerts:
    """The alerts that are still to be sent; `client` is a boto3 DynamoDB client."""

    client: Any
    alerts_table: str

    def oldest(self, limit: int) -> list[PendingAlert]:
        with any_failure_means_later("the alerts table"):
            found = self.client.query(
                TableName=self.alerts_table,
                IndexName="pending",
                KeyConditionExpression="#pending = :yes",
                ExpressionAttributeNames={"#pending": "pending"},
                ExpressionAttributeValues={":yes": {"S": "1"}},
                Limit=limit,
            )
        return [_pending(item) for item in found["Items"]]

    def settle(self, alert_id: str, sent_at: datetime) -> None:
        with any_failure_means_later("the alerts table"):
            try:
                self.client.update_item(TableName=self.alerts_table, **settlement_of(alert_id, sent_at))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise


@dataclass(frozen=True, slots=True)
class DynamoWitness:
    """The table of sightings, a second or so behind their stream; `client` is a boto3 DynamoDB client."""

    client: Any
    sightings_table: str

    def last_seen(
        self, device_id: str, person_id: str, *, after: datetime, before: datetime
    ) -> datetime | None:
        # Keys are `<seen_at>#<sighting_id>`, and "$" follows "#".
        values = {
            ":person": person_id,
            ":device": device_id,
            ":after": f"{to_iso(after)}$",
            ":before": to_iso(before),
        }
        with any_failure_means_later("the sightings table"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.sightings_table,
                IndexName="by_person",
                KeyConditionExpression="person_id = :person AND moment_key BETWEEN :after AND :before",
                FilterExpression="device_id = :device",
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
                ProjectionExpression="moment_key",
                ScanIndexForward=False,
            )
            found = next((item for page in pages for item in page["Items"]), None)
        return found and from_iso(found["moment_key"]["S"].partition("#")[0])


def claim_of(log: VisitLog, alert: RaisedAlert, retention: timedelta) -> dict[str, Any]:
    """An update, not a put: what people noted about the alert stays, should it ever be raised again."""
    attributes = _alert_attributes(log, alert, retention)
    present = {name: value for name, value in attributes.items() if value is not None}
    return {
        "Key": {"alert_id": {"S": alert.alert_id}},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in present),
        "ExpressionAttributeNames": {f"#{name}": name for name in present},
        "ExpressionAttributeValues": {f":{name}": _SERIALIZE(value) for name, value in present.items()},
    }


def _alert_attributes(log: VisitLog, alert: RaisedAlert, retention: timedelta) -> dict[str, Any]:
    content = alert.notification
    body = json.loads(content.body)
    person, watchlist = body["person"] or {}, body["watchlist"] or {}
    similarity = body["similarity"]
    return {
        "alert_state": "pending",
        "pending": "1",
        "pending_since": to_iso(alert.raised_at),
        "raised_at": to_iso(alert.raised_at),
        "visit_id": alert.visit_id,
        "seen_at": body["seen_at"],
        "day": body["seen_at"][:10],
        "device_id": log.device_id,
        "person_id": person.get("id"),
        "person_name": person.get("name"),
        "site": body["device"]["site"] or None,
        "watchlist_id": watchlist.get("id"),
        "severity": watchlist.get("severity", SEVERITY_OF_UNKNOWN),
        "similarity": None if similarity is None else Decimal(repr(similarity)),
        "body": content.body,
        "notification": content.to_text(),
        "expires": int((from_iso(body["seen_at"]) + retention).timestamp()),
    }


def settlement_of(alert_id: str, sent_at: datetime) -> dict[str, Any]:
    return {
        "Key": {"alert_id": {"S": alert_id}},
        "UpdateExpression": "SET alert_state = :sent, sent_at = :at REMOVE #pending, pending_since",
        "ConditionExpression": "attribute_exists(alert_id)",
        "ExpressionAttributeNames": {"#pending": "pending"},
        "ExpressionAttributeValues": {":sent": {"S": "sent"}, ":at": {"S": to_iso(sent_at)}},
    }


def _pending(item: dict[str, Any]) -> PendingAlert:
    return PendingAlert(
        item["alert_id"]["S"],
        item["device_id"]["S"],
        item.get("person_id", {"S": UNKNOWN_PERSON})["S"],
        from_iso(item["pending_since"]["S"]),
        Notification.from_text(item["notification"]["S"]),
    )
