"""The visits table: one item per device and person."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sightline.alerts.model import Notification
from sightline.alerts.visit import Visit
from sightline.alerts.visit_log import Lease, RaisedAlert, VisitLog, Write
from sightline.aws import error_code
from sightline.clock import from_iso, to_iso
from sightline.outages import any_failure_means_later

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoVisits:
    """`client` is a boto3 DynamoDB client."""

    client: Any
    table: str

    def write(self, log: VisitLog) -> Write:
        with any_failure_means_later("the visits table"):
            try:
                self.client.update_item(TableName=self.table, **_update(log))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                # Our own write looks like somebody else's when its answer was lost and boto3 tried again.
                item: Any = error.response.get("Item")
                nothing = VisitLog(log.device_id, log.person_id)
                return Write(is_done=False, stored=_log(item) if item else nothing)
        return Write(is_done=True, stored=replace(log, revision=log.revision + 1))


def _update(log: VisitLog) -> dict[str, Any]:
    attributes = _attributes(log)
    present = [name for name, value in attributes.items() if value is not None]
    absent = [name for name in attributes if name not in present]
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
    if absent:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in absent)
    values = {f":{name}": _SERIALIZE(attributes[name]) for name in present}
    condition = "attribute_not_exists(#revision)"
    if log.revision:
        condition = "#revision = :based_on"
        values[":based_on"] = {"N": str(log.revision)}
    return {
        "Key": {"device_id": {"S": log.device_id}, "person_id": {"S": log.person_id}},
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        "ExpressionAttributeValues": values,
        # Whoever comes second learns in the same call what the first one wrote.
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _attributes(log: VisitLog) -> dict[str, Any]:
    """The item without its key; None means absent."""
    alert = log.alert
    lease = alert.lease if alert else None
    return {
        "revision": log.revision + 1,
        "visits": [_visit_map(visit) for visit in log.visits],
        "forgotten_until": log.forgotten_until and to_iso(log.forgotten_until),
        "visit_id": alert and alert.visit_id,
        "alert_id": alert and alert.alert_id,
        "alert_state": alert and ("sent" if alert.is_sent else "pending"),
        "alert": alert and alert.notification.to_text(),
        "raised_at": alert and to_iso(alert.raised_at),
        "lease_holder": lease and lease.holder,
        "lease_until": lease and to_iso(lease.until),
    }


def _visit_map(visit: Visit) -> dict[str, str]:
    return {
        "visit_id": visit.visit_id,
        "first_seen_at": to_iso(visit.first_seen_at),
        "last_seen_at": to_iso(visit.last_seen_at),
    }


def _log(item: dict[str, Any]) -> VisitLog:
    stored = {name: _DESERIALIZE(value) for name, value in item.items()}
    visits = (
        Visit(each["visit_id"], from_iso(each["first_seen_at"]), from_iso(each["last_seen_at"]))
        for each in stored["visits"]
    )
    return VisitLog(
        stored["device_id"],
        stored["person_id"],
        int(stored["revision"]),
        tuple(visits),
        _moment(stored.get("forgotten_until")),
        _alert(stored) if "alert_id" in stored else None,
    )


def _alert(stored: dict[str, Any]) -> RaisedAlert:
    until = _moment(stored.get("lease_until"))
    return RaisedAlert(
        stored["visit_id"],
        Notification.from_text(stored["alert"]),
        from_iso(stored["raised_at"]),
        is_sent=stored["alert_state"] == "sent",
        lease=Lease(stored["lease_holder"], until) if until else None,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
