"""A presence as an item of the presence table, and back."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline.clock import from_iso, to_iso
from sightline.errors import UnavailableError
from sightline.presence.model import Change, Presence, Seen, Span, Stored

Item = dict[str, Any]

KEYS_AT_ONCE = 100  # of BatchGetItem
_MOST_CALLS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def key_of(person_id: str) -> Item:
    return {"person_id": {"S": person_id}}


def get_items(client: Any, table: str, person_ids: Sequence[str]) -> dict[str, Item]:
    """By person those of at most KEYS_AT_ONCE who are there; errors are boto3's."""
    asked: Any = {table: {"Keys": [key_of(each) for each in person_ids]}} if person_ids else None
    found: dict[str, Item] = {}
    for _ in range(_MOST_CALLS):
        if not asked:
            return found
        answer = client.batch_get_item(RequestItems=asked)
        found |= {item["person_id"]["S"]: item for item in answer["Responses"].get(table, [])}
        asked = answer.get("UnprocessedKeys")
    raise UnavailableError("The presence table is busy; try again in a moment.")


def item_of(change: Change, kept: timedelta) -> Item:
    """`site` is left out when there is none: a key of an index is never empty."""
    presence, newest = change.presence, change.presence.newest
    texts = {
        "person_id": newest.person_id,
        "person_name": newest.person_name,
        "device_id": newest.device_id,
        "site": newest.site,
        "visit_id": newest.visit_id,
        "sighting_id": newest.sighting_id,
        "since": to_iso(presence.since),
        "last_seen_at": to_iso(presence.last_seen_at),
        "visits": _spans_as_text(presence),
    }
    item: Item = {name: {"S": text} for name, text in texts.items() if text is not None}
    expires = int((presence.last_seen_at + kept).timestamp())
    return item | {"version": {"N": str(change.version + 1)}, "expires": {"N": str(expires)}}


def stored_of(item: Item | None) -> Stored:
    return Stored(int(item["version"]["N"]), presence_of(item)) if item else Stored(0, None)


def presence_of(item: Item) -> Presence:
    newest = Seen(
        item["person_id"]["S"],
        _text(item, "person_name"),
        item["device_id"]["S"],
        _text(item, "site"),
        item["visit_id"]["S"],
        item["sighting_id"]["S"],
        from_iso(item["last_seen_at"]["S"]),
    )
    spans = json.loads(item["visits"]["S"])
    return Presence(newest, {visit_id: Span(*map(_moment, span)) for visit_id, span in spans.items()})


def has_expired(item: Item, now: datetime) -> bool:
    """DynamoDB forgets an item up to days after it has expired."""
    return int(item["expires"]["N"]) <= now.timestamp()


def _spans_as_text(presence: Presence) -> str:
    """{visit id: [first, last]} in milliseconds of the epoch."""
    spans = {
        visit_id: [_milliseconds(moment) for moment in span]
        for visit_id, span in sorted(presence.visits.items())
    }
    return json.dumps(spans, separators=(",", ":"))


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _text(item: Item, name: str) -> str | None:
    return item[name]["S"] if name in item else None
