"""The visits table (one item per device and person) and the alerts table (one item per alert).

An alert stands in both, with the same state: beside its visit, so that one conditional write decides who
raises it, and for itself, where it is found by its id, day, device, person, and while it is pending.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sightline.alerts.dynamo_alerts import claim_of, settlement_of
from sightline.alerts.model import Notification
from sightline.alerts.visit import Visit
from sightline.alerts.visit_log import Lease, RaisedAlert, VisitLog, Write
from sightline.aws import error_code
from sightline.clock import from_iso, to_iso
from sightline.outages import any_failure_means_later

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize
_CHANGED = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class DynamoVisits:
    """`client` is a boto3 DynamoDB client; an alert is forgotten `retention` after the person was seen."""

    client: Any
    table: str
    alerts_table: str
    retention: timedelta

    def read(self, device_id: str, person_id: str) -> VisitLog:
        with any_failure_means_later("the visits table"):
            found = self.client.get_item(
                TableName=self.table, Key=_key(device_id, person_id), ConsistentRead=True
            )
        return _log(found["Item"]) if "Item" in found else VisitLog(device_id, person_id)

    def write(self, log: VisitLog) -> Write:
        with any_failure_means_later("the visits table"):
            try:
                self.client.update_item(TableName=self.table, **_update(log))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                item: Any = error.response.get("Item")
                return _refused(log, item)
        return _done(log)

    def claim(self, log: VisitLog) -> Write:
        assert log.alert is not None
        return self._write_both(log, claim_of(log, log.alert, self.retention))

    def settle(self, log: VisitLog, sent_at: datetime) -> Write:
        assert log.alert is not None
        return self._write_both(log, settlement_of(log.alert.alert_id, sent_at))

    def _write_both(self, log: VisitLog, alert: dict[str, Any]) -> Write:
        parts = [
            {"Update": {"TableName": self.table, **_update(log)}},
            {"Update": {"TableName": self.alerts_table, **alert}},
        ]
        with any_failure_means_later("the visits and alerts tables"):
            try:
                self.client.transact_write_items(TransactItems=parts)
            except ClientError as error:
                reasons: list[Any] = list(error.response.get("CancellationReasons", []))
                codes = [reason.get("Code") for reason in reasons]
                if codes[:1] == [_CHANGED]:
                    return _refused(log, reasons[0].get("Item"))
                if codes[1:] != [_CHANGED]:
                    raise
                # The alert itself is gone (erased, or too old): there is nothing to mark but the visit.
                return self.write(log)
        return _done(log)


def _refused(log: VisitLog, item: dict[str, Any] | None) -> Write:
    # Our own write looks like somebody else's when its answer was lost and boto3 tried again.
    nothing = VisitLog(log.device_id, log.person_id)
    return Write(is_done=False, stored=_log(item) if item else nothing)


def _done(log: VisitLog) -> Write:
    return Write(is_done=True, stored=replace(log, revision=log.revision + 1))


def _key(device_id: str, person_id: str) -> dict[str, Any]:
    return {"device_id": {"S": device_id}, "person_id": {"S": person_id}}


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
        "Key": _key(log.device_id, log.person_id),
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
        "decided_by": alert and alert.decided_by,
        "lease_holder": lease and lease.holder,
        "lease_until": lease and to_iso(lease.until),
    }


def _visit_map(visit: Visit) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "visit_id": visit.visit_id,
        "first_seen_at": to_iso(visit.first_seen_at),
        "last_seen_at": to_iso(visit.last_seen_at),
        "votes": [to_iso(vote) for vote in visit.votes],
        "followers": sorted(visit.followers),
    }
    return stored | ({"alerted_at": to_iso(visit.alerted_at)} if visit.alerted_at else {})


def _visit(stored: dict[str, Any]) -> Visit:
    first_seen_at = from_iso(stored["first_seen_at"])
    if "votes" not in stored:  # written before there were votes: each visit had its alert at once
        return Visit(stored["visit_id"], first_seen_at, from_iso(stored["last_seen_at"]), (), first_seen_at)
    return Visit(
        stored["visit_id"],
        first_seen_at,
        from_iso(stored["last_seen_at"]),
        tuple(from_iso(vote) for vote in stored["votes"]),
        _moment(stored.get("alerted_at")),
        frozenset(stored["followers"]),
    )


def _log(item: dict[str, Any]) -> VisitLog:
    stored = {name: _DESERIALIZE(value) for name, value in item.items()}
    return VisitLog(
        stored["device_id"],
        stored["person_id"],
        int(stored["revision"]),
        tuple(_visit(each) for each in stored["visits"]),
        _moment(stored.get("forgotten_until")),
        _alert(stored) if "alert_id" in stored else None,
    )


def _alert(stored: dict[str, Any]) -> RaisedAlert:
    until = _moment(stored.get("lease_until"))
    return RaisedAlert(
        stored["visit_id"],
        Notification.from_text(stored["alert"]),
        from_iso(stored["raised_at"]),
        stored.get("decided_by", ""),
        is_sent=stored["alert_state"] == "sent",
        lease=Lease(stored["lease_holder"], until) if until else None,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
