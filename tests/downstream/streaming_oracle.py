"""What the streaming queries must say of the sightings, in plain Python."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.downstream.oracle import Row, iso, moment

WINDOW = timedelta(minutes=1)
LATE_AFTER = timedelta(seconds=30)
WITHIN = timedelta(minutes=10)
Result = dict[str, Any]


class UndecidedError(Exception):
    """These sightings have another answer, whatever the moment at which a watermark is sent."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Sightings, each once, in the order of coming: those that count, and those that came too late."""

    on_time: tuple[Row, ...]
    late: tuple[Row, ...]


def on_time_and_late(sightings: Iterable[Row]) -> Streamed:
    """UndecidedError for a sighting between surely on time and surely after the end of its window."""
    on_time, late = [], []
    newest = None
    for row in sightings:
        at = moment(row["seen_at"])
        newest = at if newest is None else max(newest, at)
        behind = newest - at
        if behind < LATE_AFTER - timedelta(seconds=1):
            on_time.append(row)
        elif behind > LATE_AFTER + WINDOW + timedelta(seconds=1):
            late.append(row)
        else:
            raise UndecidedError(f"{row['sighting_id']} is {behind} behind")
    return Streamed(tuple(on_time), tuple(late))


def people_per_minute(rows: Iterable[Row]) -> list[Result]:
    """A row per device and minute in which anybody was seen."""
    windows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        at = moment(row["seen_at"]).replace(second=0, microsecond=0)
        windows[row["device_id"], iso(at)].append(row)
    return [_window(device, start, seen) for (device, start), seen in sorted(windows.items())]


def _window(device: str, start: str, seen: list[Row]) -> Result:
    known = len({row["person_id"] for row in seen} - {None})
    # Unknown faces cannot be told apart: at least so many people were there at once.
    frames: dict[tuple[str, float], int] = defaultdict(int)
    for row in seen:
        if row["person_id"] is None:
            frames[row["fragment_number"], row["frame_offset_seconds"]] += 1
    unknown = max(frames.values(), default=0)
    return {
        "query": "people_per_minute",
        "device_id": device,
        "site": seen[0]["site"],
        "window_start": start,
        "window_end": iso(moment(start) + WINDOW),
        "people": known + unknown,
        "known_people": known,
        "unknown_faces": unknown,
        "sightings": len(seen),
    }


def busiest_devices(windows: Iterable[Result], most: int) -> list[Result]:
    """Per minute the devices with most people; of two the one with more sightings, then by name."""
    by_start: dict[str, list[Result]] = defaultdict(list)
    for each in windows:
        by_start[each["window_start"]].append(each)
    return [
        {
            "query": "busiest_devices",
            "window_start": start,
            "window_end": each["window_end"],
            "rank": rank,
            "device_id": each["device_id"],
            "people": each["people"],
            "sightings": each["sightings"],
        }
        for start, found in sorted(by_start.items())
        for rank, each in enumerate(sorted(found, key=_by_traffic)[:most], 1)
    ]


def _by_traffic(window: Result) -> tuple[int, int, str]:
    return -window["people"], -window["sightings"], window["device_id"]


def journeys(rows: Iterable[Row]) -> list[Result]:
    """Somebody known was at one device and next, within ten minutes, at another."""
    by_person: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["person_id"] is not None:
            by_person[row["person_id"]].append(row)
    found = []
    for person, seen in sorted(by_person.items()):
        seen.sort(key=lambda row: row["seen_at"])
        for before, after in pairwise(seen):
            took = moment(after["seen_at"]) - moment(before["seen_at"])
            if before["device_id"] != after["device_id"] and took <= WITHIN:
                found.append(_journey(person, before, after, took))
    return found


def _journey(person: str, before: Row, after: Row, took: timedelta) -> Result:
    return {
        "query": "journeys",
        "person_id": person,
        "from_device": before["device_id"],
        "to_device": after["device_id"],
        "left_at": before["seen_at"],
        "arrived_at": after["seen_at"],
        "seconds": int(took.total_seconds()),
    }


def late_sightings(rows: Iterable[Row]) -> list[Result]:
    """Each by itself, with the minute that it would have been in."""
    names = ("sighting_id", "device_id", "person_id", "seen_at")
    return [
        {"query": "late_sightings"}
        | {name: row[name] for name in names}
        | {"window_start": iso(moment(row["seen_at"]).replace(second=0, microsecond=0))}
        for row in rows
    ]


def crowds(windows: Iterable[Mapping[str, Any]], floor: int) -> list[Result]:
    """What goes to the stream that alerts read: the windows with so many people."""
    names = ("device_id", "site", "window_start", "window_end", "people")
    return [
        {"query": "crowding"} | {name: each[name] for name in names}
        for each in windows
        if each["people"] >= floor
    ]
