"""Records for the streaming SQL, in the order of sending: whatever they may be, and always the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
DEVICES = {"gate-1": "Harbour", "gate-2": "Harbour", "hall": "Harbour", "lift": "Old Town", "roof": None}

# Of each reason one that is nearly well-formed.
MALFORMED: dict[bytes, str] = {
    b"": "not a JSON object",
    b"not json": "not JSON",
    b'{"sighting_id": "si-cut", "device_id": "gate-1"': "not JSON",
    b'{"sighting_id": "si-two", "device_id": "hall", "seen_at": "2026-11-22T08:00:00Z"} {}': "not JSON",
    b"\xff\xfe": "not JSON",
    b'["si-list"]': "not a JSON object",
    b"null": "not a JSON object",
    b'{"device_id": "gate-1", "seen_at": "2026-11-22T08:00:00Z"}': "no sighting_id",
    b'{"sighting_id": "", "device_id": "gate-1", "seen_at": "2026-11-22T08:00:00Z"}': "no sighting_id",
    b'{"sighting_id": 7, "device_id": "gate-1", "seen_at": "2026-11-22T08:00:00Z"}': "no sighting_id",
    b'{"sighting_id": "si-x", "device_id": null, "seen_at": "2026-11-22T08:00:00Z"}': "no device_id",
    b'{"sighting_id": "si-x", "device_id": "gate-1"}': "no seen_at",
    b'{"sighting_id": "si-x", "device_id": "gate-1", "seen_at": 1763798400}': "no seen_at",
    b'{"sighting_id": "si-x", "device_id": "gate-1", "seen_at": "yesterday"}': "seen_at is no ISO 8601 time",
    b'{"sighting_id": "si-x", "device_id": "gate-1", "seen_at": "2026-11-22T08:00:00"}': (
        "seen_at is no ISO 8601 time"
    ),
    json.dumps({"sighting_id": "", "note": "\N{GRINNING FACE}" * 1500}, ensure_ascii=False).encode(): (
        "no sighting_id"
    ),
}


def hour() -> list[bytes]:
    """With late ones, and with the edges at the end."""
    return _day(seed=5, late=0.01) + list(_edges(FIRST + timedelta(hours=2)))


def in_time() -> list[bytes]:
    """Without late ones: of the first one after a restart nobody knows whether it is late."""
    return _day(seed=11, late=0)


def _day(seed: int, late: float, count: int = 6_000) -> list[bytes]:
    """People over devices, 1 % again, malformed ones in between; so many late ones in the second half."""
    chance = Random(seed)
    records = list(_people(count, chance))
    again = [(place + chance.randrange(1, 900), records[place]) for place in range(0, count, 100)]
    for place in range(count // 2, count):
        if chance.random() < late:
            records[place] = _moved(records[place], -timedelta(seconds=chance.randrange(31, 900)))
    for place, record in sorted(again, reverse=True):
        records.insert(place, record)
    for number, malformed in enumerate(MALFORMED):
        records.insert(37 + 300 * number, malformed)
    return records


def sighting(number: object, at: datetime, device: str, person: str | None, **more: object) -> bytes:
    row = {
        "sighting_id": f"si-{number}",
        "device_id": device,
        "site": DEVICES[device],
        "seen_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "person_id": person,
        "similarity": 97.5,
        "schema_version": 1,
        **more,
    }
    return json.dumps(row).encode()


def _people(count: int, chance: Random) -> Iterator[bytes]:
    where = dict.fromkeys([f"person-{number}" for number in range(40)], "gate-1")
    at = FIRST
    for number in range(count):
        at += timedelta(milliseconds=chance.choice((0, 100, 900, 1400)))
        person = chance.choice([*where, None, None])
        if person is not None and chance.random() < 0.1:
            where[person] = chance.choice([*DEVICES])
        device = chance.choice([*DEVICES]) if person is None else where[person]
        seen = at - timedelta(milliseconds=chance.choice((0, 0, 700, 20_000)))
        yield sighting(number, seen, device, person)


def _moved(record: bytes, by: timedelta) -> bytes:
    row = json.loads(record)
    at = datetime.fromisoformat(row["seen_at"]) + by
    row["seen_at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(row).encode()


def _edges(at: datetime) -> Iterator[bytes]:
    """Where an off-by-one would show."""
    second, minute = timedelta(seconds=1), timedelta(minutes=1)
    # On the first and on the last millisecond of a minute.
    yield sighting("first-ms", at, "hall", "edge-1")
    yield sighting("last-ms", at + minute - timedelta(milliseconds=1), "hall", "edge-2")
    # Exactly 30 s behind the newest is late, a millisecond less is not.
    yield sighting("newest", at + 2 * minute, "hall", "edge-3")
    yield sighting("30-s", at + 2 * minute - 30 * second, "hall", "edge-4")
    yield sighting("29-s", at + 2 * minute - 30 * second + timedelta(milliseconds=1), "hall", "edge-5")
    # What was late stays late when it comes again; what came in time does not come late again.
    yield sighting("30-s", at + 2 * minute - 30 * second, "hall", "edge-4")
    yield sighting("first-ms", at, "hall", "edge-1")
    # Ten minutes are too long for a journey, a millisecond less is not.
    at += 10 * minute
    yield sighting("slow-a", at, "gate-1", "edge-slow")
    yield sighting("fast-a", at + timedelta(milliseconds=1), "gate-1", "edge-fast")
    yield sighting("slow-b", at + 10 * minute, "gate-2", "edge-slow")
    yield sighting("fast-b", at + 10 * minute, "gate-2", "edge-fast")
    # At two devices in the same millisecond, and out of order.
    at += 20 * minute
    yield sighting("tie-1", at, "roof", "edge-tie")
    yield sighting("tie-2", at, "lift", "edge-tie")
    yield sighting("order-2", at + 2 * second, "lift", "edge-order")
    yield sighting("order-1", at + second, "roof", "edge-order")
    # Nobody known, said in three ways; other writers' fields and types.
    unnamed = json.loads(sighting("unnamed", at, "roof", None))
    del unnamed["person_id"]
    yield json.dumps(unnamed).encode()
    yield sighting("empty", at, "roof", "")
    yield sighting("null", at, "roof", None, similarity="high", site=7, extra={"deep": [1]})
    zoned = (at + second).isoformat().replace("+00:00", "+00:00")
    yield sighting("zoned", at, "roof", "edge-zone", seen_at=zoned)
    yield sighting("far", at, "lift", "edge-zone", seen_at="2026-11-22T15:00:00.5+05:00")
