"""The devices table and the faces table, read together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from sightline.clock import from_iso
from sightline.devices.model import Location
from sightline.errors import UnavailableError
from sightline.outages import any_failure_means_later
from sightline.sightings.model import DeviceFacts
from sightline.sightings.roster import Known
from sightline.watchlist.model import Face

# BatchGetItem takes 100 keys.
KEYS_AT_ONCE = 100
# What DynamoDB leaves out ("unprocessed") is asked for again, after longer and longer pauses: 1.5 s in all.
PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
_DEVICE_ATTRIBUTES = ("device_id", "name", "site", "location", "time_zone", "engine", "similarity_threshold")
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoRoster:
    """`client` is a boto3 DynamoDB client; `pause` waits for so many seconds."""

    client: Any
    devices_table: str
    faces_table: str
    pause: Callable[[float], None]

    def look_up(self, device_ids: frozenset[str], face_ids: frozenset[str]) -> Known:
        wanted = [(self.devices_table, "device_id", each) for each in sorted(device_ids)]
        wanted += [(self.faces_table, "face_id", each) for each in sorted(face_ids)]
        devices: dict[str, DeviceFacts] = {}
        faces: dict[str, Face] = {}
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            for table, item in self._get(wanted[start : start + KEYS_AT_ONCE]):
                stored = {name: _DESERIALIZE(value) for name, value in item.items()}
                if table == self.devices_table:
                    devices[stored["device_id"]] = _device(stored)
                else:
                    faces[stored["face_id"]] = _face(stored)
        return Known(devices, faces)

    def _get(self, wanted: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
        request = self._request(wanted)
        for pause_seconds in (*PAUSES_SECONDS, None):
            with any_failure_means_later("the devices and faces tables"):
                answer = self.client.batch_get_item(RequestItems=request)
            for table, items in answer["Responses"].items():
                yield from ((table, item) for item in items)
            request = answer.get("UnprocessedKeys")
            if not request:
                return
            if pause_seconds is not None:
                self.pause(pause_seconds)
        raise UnavailableError("the devices and faces tables are throttled")

    def _request(self, wanted: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
        request: dict[str, Any] = {}
        for table, key, value in wanted:
            # A record of an unknown device is dropped, so "unknown" must not be a replica that lags.
            asked = request.setdefault(table, {"Keys": [], "ConsistentRead": True})
            asked["Keys"].append({key: {"S": value}})
        if self.devices_table in request:
            names = {f"#{name}": name for name in _DEVICE_ATTRIBUTES}
            request[self.devices_table] |= {
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
        return request


def _device(stored: dict[str, Any]) -> DeviceFacts:
    place = stored.get("location")
    return DeviceFacts(
        stored["device_id"],
        stored["name"],
        stored.get("site"),
        Location(float(place["latitude"]), float(place["longitude"])) if place else None,
        stored["time_zone"],
        stored["engine"],
        float(stored["similarity_threshold"]),
    )


def _face(stored: dict[str, Any]) -> Face:
    return Face(
        stored["face_id"],
        stored["person_id"],
        stored["person_name"],
        tuple(stored["watchlist_ids"]),
        from_iso(stored["enrolled_at"]),
    )
