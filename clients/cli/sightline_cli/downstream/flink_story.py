"""Ten minutes at a small place, as sightings: what `sightline flink-demo` lets the streaming SQL see."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

MINUTES = 10
FRAME_SECONDS = 2
LATE_BY = timedelta(minutes=3)
_SITES = {"gate": "Harbour", "hall": "Harbour", "lift": "Old Town", "roof": "Old Town"}
# Who is where, from which second to which.
_VISITS = (
    ("Ada Lovelace", "gate", 10, 70),
    ("Ada Lovelace", "hall", 95, 260),
    ("Ada Lovelace", "lift", 300, 340),
    ("Grace Hopper", "gate", 40, 110),
    ("Grace Hopper", "hall", 150, 420),
    ("Alan Turing", "hall", 130, 290),
    ("Alan Turing", "roof", 330, 590),
    ("Mary Anning", "lift", 200, 480),
    ("Mary Anning", "hall", 510, 590),
)
_STRANGERS = (("hall", 160, 230, 3), ("gate", 300, 330, 1))
_ONE_AGAIN, _ONE_LATE = 40, 50


def story(begin: datetime) -> Iterator[list[bytes]]:
    """The records of each frame in turn; some come twice, some minutes late, one cannot be read."""
    chance = Random(1)  # noqa: S311  the same story every time
    held_back: list[bytes] = []
    for second in range(0, MINUTES * 60, FRAME_SECONDS):
        at = begin + timedelta(seconds=second)
        records = [_record(at, device, person, 0) for person, device, *when in _VISITS if _in(second, *when)]
        for device, first, last, faces in _STRANGERS:
            if _in(second, first, last):
                records += [_record(at, device, None, face) for face in range(faces)]
        again = [each for each in records if chance.randrange(_ONE_AGAIN) == 0]
        late = [each for each in records if chance.randrange(_ONE_LATE) == 0]
        held_back += late
        yield [*(each for each in records if each not in late), *again, *_due(held_back, at)]
    yield [*held_back, b'{"sighting_id": "half a rec']


def _in(second: int, first: int, last: int) -> bool:
    return first <= second < last


def _due(held_back: list[bytes], now: datetime) -> list[bytes]:
    """Those whose time to come late has come; they are held back no more."""
    due = [each for each in held_back if _seen_at(each) <= now - LATE_BY]
    for each in due:
        held_back.remove(each)
    return due


def _seen_at(record: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(record)["seen_at"])


def _record(at: datetime, device: str, person: str | None, face: int) -> bytes:
    name = f"{device} {at.isoformat()} {person} {face}"
    row = {
        "sighting_id": f"si-{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        "device_id": device,
        "site": _SITES[device],
        "seen_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "person_id": None if person is None else person.lower().replace(" ", "-"),
        "person_name": person,
        "schema_version": 1,
    }
    return json.dumps(row).encode()
