"""The devices table, and the crowds table: one item per device that has had a crowd."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sightline.alerts.model import Notification
from sightline.aws import error_code
from sightline.clock import from_iso, to_iso
from sightline.crowding.model import Crowd, CrowdLog, WatchedDevice
from sightline.devices.model import Location
from sightline.errors import UnavailableError
from sightline.outages import any_failure_means_later

# BatchGetItem takes 100 keys, and each device has two.
DEVICES_AT_ONCE: Final = 50
# The streams keep a day: nothing comes again that is older.
KEPT: Final = timedelta(days=30)
_NAMES = {f"#{name}": name for name in ("device_id", "name", "site", "location", "time_zone", "people_limit")}
_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoCrowds:
    """`client` is a boto3 DynamoDB client."""

    client: Any
    devices_table: str
    crowds_table: str

    def look_up(
        self, device_ids: Iterable[str]
    ) -> tuple[Mapping[str, WatchedDevice], Mapping[str, CrowdLog]]:
        wanted = sorted(device_ids)
        devices: dict[str, WatchedDevice] = {}
        logs: dict[str, CrowdLog] = {}
        for start in range(0, len(wanted), DEVICES_AT_ONCE):
            found = self._get(wanted[start : start + DEVICES_AT_ONCE])
            devices |= {each["device_id"]: _device(each) for each in found.get(self.devices_table, ())}
            logs |= {each["device_id"]: _log(each) for each in found.get(self.crowds_table, ())}
        return devices, logs

    def _get(self, device_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
        asked: dict[str, Any] = {
            "Keys": [{"device_id": {"S": each}} for each in device_ids],
            "ConsistentRead": True,  # a limit counts from the moment in which it was set
        }
        about = {"ProjectionExpression": ", ".join(_NAMES), "ExpressionAttributeNames": _NAMES}
        with any_failure_means_later("the devices and crowds tables"):
            answer = self.client.batch_get_item(
                RequestItems={self.devices_table: asked | about, self.crowds_table: asked}
            )
        if answer.get("UnprocessedKeys"):
            raise UnavailableError("the devices and crowds tables are throttled")
        return {
            table: [{name: _DESERIALIZE(value) for name, value in item.items()} for item in items]
            for table, items in answer["Responses"].items()
        }

    def write(self, log: CrowdLog) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if log.revision:
            condition = {
                "ConditionExpression": "revision = :seen",
                "ExpressionAttributeValues": {":seen": {"N": str(log.revision)}},
            }
        with any_failure_means_later("the crowds table"):
            try:
                self.client.put_item(TableName=self.crowds_table, Item=_item(log), **condition)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True


def _item(log: CrowdLog) -> dict[str, Any]:
    content: dict[str, Any] = {
        "device_id": log.device_id,
        "revision": log.revision + 1,
        "crowds": [{"begin": to_iso(each.begin), "end": to_iso(each.end)} for each in log.crowds],
        "expires": int((log.crowds[-1].end + KEPT).timestamp()),
    }
    if log.pending is not None:
        content["pending"] = log.pending.to_text()
    return {name: _SERIALIZE(value) for name, value in content.items()}


def _log(stored: dict[str, Any]) -> CrowdLog:
    pending = stored.get("pending")
    return CrowdLog(
        stored["device_id"],
        int(stored["revision"]),
        tuple(Crowd(from_iso(each["begin"]), from_iso(each["end"])) for each in stored["crowds"]),
        None if pending is None else Notification.from_text(pending),
    )


def _device(stored: dict[str, Any]) -> WatchedDevice:
    place, limit = stored.get("location"), stored.get("people_limit")
    return WatchedDevice(
        stored["device_id"],
        stored["name"],
        stored.get("site"),
        Location(float(place["latitude"]), float(place["longitude"])) if place else None,
        stored["time_zone"],
        None if limit is None else int(limit),
    )
