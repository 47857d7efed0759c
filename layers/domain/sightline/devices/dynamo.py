"""The devices table: one item per device, in the attribute names of `Device`; what is None is left out.

The lifecycle machine writes `state`, `state_reason` and the two ARNs in the same item, so `save` touches only
what changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from sightline.aws import busy_means_unavailable, write_if
from sightline.clock import from_iso, to_iso
from sightline.devices.model import DEFAULT_VOTE, Action, Desired, Device, Location, State, Vote, Zone
from sightline.paging import Page, PageRequest

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoDeviceStore:
    """`client` is a boto3 DynamoDB client."""

    client: Any
    table: str

    def add(self, device: Device) -> bool:
        return write_if(
            self.client.put_item,
            TableName=self.table,
            Item=_to_item(device),
            ConditionExpression="attribute_not_exists(device_id)",
        )

    def find(self, device_id: str) -> Device | None:
        with busy_means_unavailable("DynamoDB"):
            found = self.client.get_item(TableName=self.table, Key=_key(device_id), ConsistentRead=True)
        return _from_item(found["Item"]) if "Item" in found else None

    def save(self, device: Device, *, seen: Device) -> bool:
        before, after = _to_item(seen), _to_item(device)
        changed = [name for name in after if after[name] != before.get(name)]
        dropped = [name for name in before if name not in after]
        if not changed and not dropped:
            return True
        set_clause = "SET " + ", ".join(f"#{name} = :{name}" for name in changed) if changed else ""
        remove_clause = "REMOVE " + ", ".join(f"#{name}" for name in dropped) if dropped else ""
        return write_if(
            self.client.update_item,
            TableName=self.table,
            Key=_key(device.device_id),
            UpdateExpression=f"{set_clause} {remove_clause}".strip(),
            ConditionExpression="#generation = :seen",
            # Every name by placeholder: some of ours (state, name, action, location) are reserved words.
            ExpressionAttributeNames={f"#{name}": name for name in {*changed, *dropped, "generation"}},
            ExpressionAttributeValues={":seen": before["generation"]}
            | {f":{name}": after[name] for name in changed},
        )

    def page(self, request: PageRequest) -> Page[Device]:
        after = {} if request.after is None else {"ExclusiveStartKey": _key(request.after)}
        with busy_means_unavailable("DynamoDB"):
            found = self.client.scan(TableName=self.table, Limit=request.limit, **after)
        last = found.get("LastEvaluatedKey")
        return Page(tuple(_from_item(item) for item in found["Items"]), last and last["device_id"]["S"])


def _key(device_id: str) -> dict[str, Any]:
    return {"device_id": {"S": device_id}}


def _to_item(device: Device) -> dict[str, Any]:
    return {
        name: _SERIALIZE(_to_stored(value)) for name, value in asdict(device).items() if value is not None
    }


def _to_stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _to_stored(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_to_stored(each) for each in value]
    if isinstance(value, datetime):
        return to_iso(value)
    return Decimal(repr(value)) if isinstance(value, float) else value  # boto3 refuses floats


def _from_item(item: dict[str, Any]) -> Device:
    stored: dict[str, Any] = {each.name: None for each in fields(Device)}
    stored |= {name: _DESERIALIZE(value) for name, value in item.items() if name in stored}
    place = stored["location"]
    return Device(
        **stored
        | {
            "location": place and Location(float(place["latitude"]), float(place["longitude"])),
            "similarity_threshold": float(stored["similarity_threshold"]),
            "retention_hours": int(stored["retention_hours"]),
            "generation": int(stored["generation"]),
            "desired": Desired(stored["desired"]),
            "state": State(stored["state"]),
            "action": Action(stored["action"]),
            "created_at": from_iso(stored["created_at"]),
            "updated_at": from_iso(stored["updated_at"]),
            "requested_at": from_iso(stored["requested_at"]),
        }
        | _rule(stored)
    )


def _rule(stored: dict[str, Any]) -> dict[str, Any]:
    """What decides about alerts; a device from before there was such a thing has the defaults."""
    gap, last = stored["visit_gap_seconds"], stored["last_face_record_at"]
    people_limit = stored["people_limit"]
    return {
        "zones": _zones(stored["zones"] or ()),
        "vote": _vote(stored["vote"]),
        "visit_gap_seconds": None if gap is None else int(gap),
        "cool_down_seconds": int(stored["cool_down_seconds"] or 0),
        "keep_unknown_faces": bool(stored["keep_unknown_faces"]),
        "alert_unknown_faces": bool(stored["alert_unknown_faces"]),
        "people_limit": None if people_limit is None else int(people_limit),
        "last_face_record_at": None if last is None else from_iso(last),
    }


def _vote(stored: Mapping[str, Any] | None) -> Vote:
    return Vote(int(stored["k"]), int(stored["n"])) if stored else DEFAULT_VOTE


def _zones(stored: Iterable[Iterable[tuple[Any, Any]]]) -> tuple[Zone, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in zone) for zone in stored)
