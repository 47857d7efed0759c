"""What the streaming SQL must answer, in plain Python, from the bytes that were sent."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.downstream.flink.sent import MALFORMED

LATE_AFTER = timedelta(seconds=30)
MINUTE, TEN_MINUTES = timedelta(minutes=1), timedelta(minutes=10)
BUSIEST = 5
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    id: str
    at: datetime
    device: str
    site: str | None
    person: str | None


def expected(records: Iterable[bytes], floor: int = 2) -> list[Result]:
    """All rows of both streams, in any order."""
    records = list(records)
    on_time, late = _split(records)
    minutes = _people_per_minute(on_time)
    malformed = Counter(record for record in records if record in MALFORMED)
    crowded = ("device_id", "site", "window_start", "window_end", "people")
    return [
        *minutes,
        *_busiest(minutes),
        *_journeys(on_time),
        *(_late(each) for each in late),
        *(_malformed(record) for record in malformed.elements()),
        *(
            {"query": "crowding", **{name: row[name] for name in crowded}}
            for row in minutes
            if row["people"] >= floor
        ),
    ]


def well_formed(records: Iterable[bytes]) -> list[Seen]:
    return [_seen(json.loads(record)) for record in records if record not in MALFORMED]


def _split(records: list[bytes]) -> tuple[list[Seen], list[Seen]]:
    """Each sighting once, by its first coming: what came in time and what did not."""
    known: set[str] = set()
    on_time: list[Seen] = []
    late: list[Seen] = []
    newest: datetime | None = None
    for each in well_formed(records):
        if each.id not in known:
            # The watermark moves with whole seconds.
            behind = newest is not None and each.at <= newest.replace(microsecond=0) - LATE_AFTER
            (late if behind else on_time).append(each)
        known.add(each.id)
        newest = each.at if newest is None else max(newest, each.at)
    return on_time, late


def _people_per_minute(rows: list[Seen]) -> list[Result]:
    groups: dict[Any, list[Seen]] = defaultdict(list)
    for each in rows:
        groups[each.device, each.site, each.at.replace(second=0, microsecond=0)].append(each)
    return [
        {
            "query": "people_per_minute",
            "device_id": device,
            "site": site,
            "window_start": _iso(start),
            "window_end": _iso(start + MINUTE),
            "people": _known(group) + _unknown(group),
            "known_people": _known(group),
            "unknown_faces": _unknown(group),
            "sightings": len(group),
        }
        for (device, site, start), group in groups.items()
    ]


def _known(group: list[Seen]) -> int:
    return len({each.person for each in group} - {None})


def _unknown(group: list[Seen]) -> int:
    frames = Counter(each.at for each in group if each.person is None)
    return max(frames.values(), default=0)


def _busiest(minutes: list[Result]) -> list[Result]:
    by_start: dict[str, list[Result]] = defaultdict(list)
    for row in minutes:
        by_start[row["window_start"]].append(row)
    wanted = ("window_start", "window_end", "device_id", "people", "sightings")
    return [
        {"query": "busiest_devices", "rank": rank, **{name: row[name] for name in wanted}}
        for group in by_start.values()
        for rank, row in enumerate(sorted(group, key=_busy)[:BUSIEST], start=1)
    ]


def _busy(row: Result) -> tuple[int, int, str]:
    return -row["people"], -row["sightings"], row["device_id"]


def _journeys(rows: list[Seen]) -> list[Result]:
    by_person: dict[str, list[Seen]] = defaultdict(list)
    for each in rows:
        if each.person is not None:
            by_person[each.person].append(each)
    return [
        {
            "query": "journeys",
            "person_id": person,
            "from_device": left.device,
            "to_device": arrived.device,
            "left_at": _iso(left.at),
            "arrived_at": _iso(arrived.at),
            "seconds": int((arrived.at - left.at).total_seconds()),
        }
        for person, seen in by_person.items()
        for left, arrived in pairwise(sorted(seen, key=lambda each: (each.at, each.device, each.id)))
        if left.device != arrived.device and arrived.at - left.at < TEN_MINUTES
    ]


def _late(each: Seen) -> Result:
    return {
        "query": "late_sightings",
        "sighting_id": each.id,
        "device_id": each.device,
        "person_id": each.person,
        "seen_at": _iso(each.at),
        "window_start": _iso(each.at.replace(second=0, microsecond=0)),
    }


def _malformed(record: bytes) -> Result:
    payload = record.decode(errors="replace")[:1000]
    return {"query": "malformed_records", "payload": payload, "reason": MALFORMED[record]}


def _seen(row: dict[str, Any]) -> Seen:
    at = datetime.fromisoformat(row["seen_at"])
    site = row["site"] if isinstance(row["site"], str) else None
    return Seen(row["sighting_id"], at, row["device_id"], site, row.get("person_id") or None)


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
