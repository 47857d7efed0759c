"""An hour of sightings as buildings make them: people who walk from device to device, strangers, a cut cable.

The same call gives the same bytes. What is in them is not told: whoever wants to know reads them (oracle.py).
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from tests.downstream.malformed import malformed_payloads

Row = dict[str, Any]

FRAME_SECONDS, FRAMES_OF_A_FRAGMENT = 0.2, 10
HOUR_SECONDS = 3600
PEOPLE = 34
LONGEST_DELAY_SECONDS = 8.0  # of a sighting that is on time; Flink waits for 30
LATE_SECONDS = (180.0, 1500.0)
LATE_AT_ONCE = 10
DEVICES: dict[str, str | None] = {
    "gate-1": "Harbour",
    "gate-2": "Harbour",
    "gate-3": "Harbour",
    "lobby": "Museum",
    "stairs": "Museum",
    "shop": "Museum",
    "north-door": "Nordflügel / 2. OG",
    "north-lift": "Nordflügel / 2. OG",
    "platform-1": "Station",
    "platform-2": "Station",
    "car-park": "Station",
    "van": None,
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the sightings stream."""

    partition_key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """How many of each; percentages are of the sightings, of which the late ones are a part."""

    sightings: int = 50_000
    duplicates_percent: float = 1.0
    late_percent: float = 0.5
    malformed: int = 10
    seed: int = 5


@dataclass(frozen=True, slots=True)
class _Sent:
    at_seconds: float  # since the beginning of the hour, as the consumers see the order
    row: Row


def records_of_an_hour(begin: datetime, plan: Plan = Plan()) -> tuple[Record, ...]:
    """In the order of their sending; `begin` is the first moment that a sighting may have."""
    chance = random.Random(plan.seed)
    rows = sorted(_rows(chance, begin), key=lambda each: (each["seen_at"], each["sighting_id"]))
    if len(rows) < plan.sightings:
        raise ValueError(f"an hour has {len(rows)} sightings, not {plan.sightings}")
    sent = _delayed(chance, begin, rows[: plan.sightings], plan)
    sent += _again(chance, sent, round(plan.sightings * plan.duplicates_percent / 100))
    sent.sort(key=lambda each: each.at_seconds)
    records = [Record(each.row["device_id"], _encoded(each.row)) for each in sent]
    for payload in malformed_payloads(records[0].data, plan.malformed):
        records.insert(chance.randrange(len(records)), Record(chance.choice(list(DEVICES)), payload))
    return tuple(records)


def _encoded(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _rows(chance: random.Random, begin: datetime) -> Iterator[Row]:
    for number in range(PEOPLE):
        yield from _walk(chance, begin, f"person-{number:02}", f"Zoë Person-{number:02}")
    for device in DEVICES:
        yield from _strangers(chance, begin, device)


def _walk(chance: random.Random, begin: datetime, person_id: str, name: str) -> Iterator[Row]:
    """One visit after the other, never at two devices at once; at first nobody may be sure of it yet."""
    frame = chance.randrange(600)
    while frame < HOUR_SECONDS / FRAME_SECONDS:
        device, frames = chance.choice(list(DEVICES)), chance.randrange(20, 280)
        visit_id = _id("vi", device, person_id, frame)
        undecided = chance.choice((0, 0, 1, 3))
        for step in range(frames):
            known = {
                "person_id": person_id,
                "person_name": name,
                "watchlist_id": "default",
                "similarity": round(chance.uniform(80, 100), 3),
                "face_id": f"face-of-{person_id}",
                "external_image_id": person_id,
                "visit_id": None if step < undecided else visit_id,
            }
            yield _row(chance, begin, device, frame + step, 0) | known
        frame += frames + chance.randrange(25, 4000)


def _strangers(chance: random.Random, begin: datetime, device: str) -> Iterator[Row]:
    """Groups of one to four, not every face in every frame."""
    frame = chance.randrange(300)
    while frame < HOUR_SECONDS / FRAME_SECONDS:
        group, frames = chance.randrange(1, 5), chance.randrange(5, 60)
        for step in range(frames):
            for face in range(1, chance.randrange(group) + 2):
                yield _row(chance, begin, device, frame + step, face)
        frame += frames + chance.randrange(200, 2400)


def _row(chance: random.Random, begin: datetime, device: str, frame: int, face: int) -> Row:
    """Somebody unknown in this frame since the beginning; ids are functions of frame, device and face."""
    fragment, offset = divmod(frame, FRAMES_OF_A_FRAGMENT)
    produced = begin + timedelta(seconds=fragment * FRAMES_OF_A_FRAGMENT * FRAME_SECONDS)
    stream = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-{device}/1795348800000"
    return {
        "sighting_id": "",
        "device_id": device,
        "site": DEVICES[device],
        "seen_at": _iso(produced + timedelta(seconds=round(offset * FRAME_SECONDS, 1))),
        "person_id": None,
        "person_name": None,
        "watchlist_id": None,
        "similarity": None,
        "face_id": None,
        "external_image_id": None,
        "face_confidence": round(chance.uniform(90, 100), 3),
        "box_left": round(chance.random() * 0.8, 4),
        "box_top": round(chance.random() * 0.8, 4),
        "box_width": 0.05625,
        "box_height": 0.075,
        "pose_pitch": round(chance.uniform(-30, 30), 3),
        "pose_roll": round(chance.uniform(-30, 30), 3),
        "pose_yaw": round(chance.uniform(-60, 60), 3),
        "brightness": round(chance.uniform(20, 90), 2),
        "sharpness": round(chance.uniform(20, 99), 2),
        "video_stream_arn": stream,
        "fragment_number": f"91343852333181432392682062607{fragment:012}",
        "frame_offset_seconds": round(offset * FRAME_SECONDS, 1),
        "server_timestamp": _iso(produced + timedelta(seconds=0.35)),
        "producer_timestamp": _iso(produced),
        "engine": "stream-processor",
        "visit_id": None,
        "recorded_at": _iso(produced),
        "schema_version": 1,
    } | {"sighting_id": _id("si", device, frame, face, chance.getrandbits(64))}


def _delayed(chance: random.Random, begin: datetime, rows: Sequence[Row], plan: Plan) -> list[_Sent]:
    """A frame comes a few seconds after it was seen, and much later when its device was cut off."""
    last = _seconds(begin, rows[-1])
    late = _late_runs(chance, begin, rows, last, round(plan.sightings * plan.late_percent / 100))
    jitter: dict[tuple[str, str], float] = {}
    sent = []
    for row in rows:
        seen = _seconds(begin, row)
        frame = (row["device_id"], row["seen_at"])
        delay = late.get(row["sighting_id"]) or jitter.setdefault(
            frame, chance.uniform(0.3, LONGEST_DELAY_SECONDS)
        )
        moment = begin + timedelta(seconds=seen + delay)
        sent.append(_Sent(seen + delay, row | {"recorded_at": _iso(moment)}))
    return sent


def _late_runs(
    chance: random.Random, begin: datetime, rows: Sequence[Row], last: float, wanted: int
) -> dict[str, float]:
    """Sighting id → delay; so early that much later ones are sent before them."""
    by_device: dict[str, list[Row]] = {}
    for row in rows:
        if _seconds(begin, row) < last - LATE_SECONDS[0]:
            by_device.setdefault(row["device_id"], []).append(row)
    late: dict[str, float] = {}
    while len(late) < wanted:
        of_device = by_device[chance.choice(sorted(by_device))]
        start, delay = chance.randrange(len(of_device)), chance.uniform(*LATE_SECONDS)
        for row in of_device[start : start + min(LATE_AT_ONCE, wanted - len(late))]:
            late.setdefault(row["sighting_id"], delay)
    return late


def _again(chance: random.Random, sent: Sequence[_Sent], wanted: int) -> list[_Sent]:
    """A writer that failed sends again, at once or much later: half as it was, half recorded anew."""
    again = []
    for number, each in enumerate(chance.sample(sent, wanted)):
        delay = chance.choice((0.0, 0.5, 20.0, 900.0)) + chance.random()
        recorded = datetime.fromisoformat(each.row["recorded_at"]) + timedelta(seconds=delay)
        changed = {"recorded_at": _iso(recorded)} if number % 2 else {}
        again.append(_Sent(each.at_seconds + delay, each.row | changed))
    return again


def _seconds(begin: datetime, row: Row) -> float:
    return (datetime.fromisoformat(row["seen_at"]) - begin).total_seconds()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id(prefix: str, *parts: object) -> str:
    return f"{prefix}-{sha256(repr(parts).encode()).hexdigest()[:32]}"
