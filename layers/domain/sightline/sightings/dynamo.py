"""The devices table, the faces table and the watchlists, read together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from sightline.aws import error_code
from sightline.clock import from_iso, to_iso
from sightline.devices.model import DEFAULT_VOTE, Location, Vote, Zone
from sightline.errors import UnavailableError
from sightline.outages import any_failure_means_later
from sightline.sightings.model import DeviceFacts
from sightline.sightings.roster import ONLY_DEFAULT, Known
from sightline.watchlist.model import Face, Watchlist

# BatchGetItem takes 100 keys.
KEYS_AT_ONCE = 100
# What DynamoDB leaves out ("unprocessed") is asked for again, after longer and longer pauses: 1.5 s in all.
PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
_DEVICE_ATTRIBUTES = (
    *("device_id", "name", "site", "location", "time_zone", "engine", "similarity_threshold"),
    *("zones", "vote", "visit_gap_seconds", "cool_down_seconds", "keep_unknown_faces", "alert_unknown_faces"),
)
# All lists are one item, so that they are read with the rest.
WATCHLISTS_KEY = ("catalogue_id", "watchlists")
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoRoster:
    """`client` is a boto3 DynamoDB client; `pause` waits for so many seconds."""

    client: Any
    devices_table: str
    faces_table: str
    watchlists_table: str
    pause: Callable[[float], None]

    def look_up(self, device_ids: frozenset[str], face_ids: frozenset[str]) -> Known:
        wanted = [(self.watchlists_table, *WATCHLISTS_KEY)]
        wanted += [(self.devices_table, "device_id", each) for each in sorted(device_ids)]
        wanted += [(self.faces_table, "face_id", each) for each in sorted(face_ids)]
        devices: dict[str, DeviceFacts] = {}
        faces: dict[str, Face] = {}
        watchlists = dict(ONLY_DEFAULT)
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            for table, item in self._get(wanted[start : start + KEYS_AT_ONCE]):
                stored = {name: _DESERIALIZE(value) for name, value in item.items()}
                if table == self.devices_table:
                    devices[stored["device_id"]] = _device(stored)
                elif table == self.faces_table:
                    faces[stored["face_id"]] = _face(stored)
                else:
                    watchlists |= _watchlists(stored)
        return Known(devices, faces, watchlists)

    def _get(self, wanted: Sequence[tuple[str, str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
        request = self._request(wanted)
        for pause_seconds in (*PAUSES_SECONDS, None):
            with any_failure_means_later("the devices, faces and watchlists tables"):
                answer = self.client.batch_get_item(RequestItems=request)
            for table, items in answer["Responses"].items():
                yield from ((table, item) for item in items)
            request = answer.get("UnprocessedKeys")
            if not request:
                return
            if pause_seconds is not None:
                self.pause(pause_seconds)
        raise UnavailableError("the devices, faces and watchlists tables are throttled")

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
    place, gap = stored.get("location"), stored.get("visit_gap_seconds")
    return DeviceFacts(
        stored["device_id"],
        stored["name"],
        stored.get("site"),
        Location(float(place["latitude"]), float(place["longitude"])) if place else None,
        stored["time_zone"],
        stored["engine"],
        float(stored["similarity_threshold"]),
        _zones(stored.get("zones")),
        _vote(stored.get("vote")),
        None if gap is None else timedelta(seconds=int(gap)),
        timedelta(seconds=int(stored.get("cool_down_seconds", 0))),
        bool(stored.get("keep_unknown_faces")),
        bool(stored.get("alert_unknown_faces")),
    )


def _zones(stored: list[list[Any]] | None) -> tuple[Zone, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in zone) for zone in stored or ())


def _vote(stored: dict[str, Any] | None) -> Vote:
    return Vote(int(stored["k"]), int(stored["n"])) if stored else DEFAULT_VOTE


def _face(stored: dict[str, Any]) -> Face:
    return Face(
        stored["face_id"],
        stored["person_id"],
        stored["person_name"],
        tuple(stored["watchlist_ids"]),
        from_iso(stored["enrolled_at"]),
        _moment(stored.get("expires_at")),
        _moment(stored.get("muted_until")),
        _percent(stored.get("similarity_threshold")),
    )


def _watchlists(stored: dict[str, Any]) -> dict[str, Watchlist]:
    return {
        watchlist_id: Watchlist(
            watchlist_id,
            each["name"],
            each["severity"],
            each["kind"],
            each.get("owner"),
            each.get("reason"),
            _percent(each.get("similarity_threshold")),
            _moment(each.get("expires_at")),
        )
        for watchlist_id, each in stored["lists"].items()
    }


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)


def _percent(number: Any) -> float | None:
    return None if number is None else float(number)


@dataclass(frozen=True, slots=True)
class DynamoLiveness:
    """Notes in the devices table that a device's frames still arrive; `client` is a boto3 DynamoDB client."""

    client: Any
    devices_table: str

    def note(self, device_id: str, at: datetime) -> None:
        with any_failure_means_later("the devices table"):
            try:
                self.client.update_item(
                    TableName=self.devices_table,
                    Key={"device_id": {"S": device_id}},
                    UpdateExpression="SET last_face_record_at = :at",
                    # A device that was deleted meanwhile must not come back as an empty item.
                    ConditionExpression="attribute_exists(device_id)",
                    ExpressionAttributeValues={":at": {"S": to_iso(at)}},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
