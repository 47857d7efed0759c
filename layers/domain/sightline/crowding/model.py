"""What a crowd is, which ones are known of a device, and what its alert says."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sightline.alerts.model import Notification
from sightline.clock import to_iso
from sightline.devices.model import Location
from sightline.sightings.model import stable_id
from sightline.wording import cut, time_of_day, to_ascii

# A count that comes again, or late, finds the crowd that it belongs to; what is older than all came again.
MOST_CROWDS: Final = 16
KIND: Final = "crowding"
SEVERITY: Final = "medium"
SCHEMA_VERSION: Final = 1
MAX_DEVICE: Final = 40  # of the 99 signs of a subject


@dataclass(frozen=True, slots=True)
class Headcount:
    """So many people at a device in one window of the streaming SQL."""

    device_id: str
    begin: datetime
    end: datetime
    people: int


@dataclass(frozen=True, slots=True)
class WatchedDevice:
    """What decides about crowds at a device, and what their alerts say of it."""

    device_id: str
    name: str
    site: str | None
    location: Location | None
    time_zone: str
    people_limit: int | None

    def is_crowded(self, count: Headcount) -> bool:
        return self.people_limit is not None and count.people > self.people_limit


@dataclass(frozen=True, slots=True)
class Crowd:
    """Windows with more people than the limit, without a gap between them."""

    begin: datetime
    end: datetime

    def touches(self, count: Headcount) -> bool:
        return self.begin <= count.end and count.begin <= self.end


class Meaning(StrEnum):
    """What a crowded window tells of the crowds that are known."""

    KNOWN = "known"
    GROWN = "grown"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class CrowdLog:
    """The last crowds of a device in order of time, and the alert that is not known to have gone out."""

    device_id: str
    revision: int = 0
    crowds: tuple[Crowd, ...] = ()
    pending: Notification | None = None

    def met(self, count: Headcount) -> tuple[Meaning, "CrowdLog"]:
        """The log with this crowded window in it."""
        touched = [crowd for crowd in self.crowds if crowd.touches(count)]
        if not touched and len(self.crowds) == MOST_CROWDS and count.end < self.crowds[0].begin:
            return Meaning.KNOWN, self
        begin = min([count.begin, *(crowd.begin for crowd in touched)])
        end = max([count.end, *(crowd.end for crowd in touched)])
        others = [crowd for crowd in self.crowds if crowd not in touched]
        crowds = sorted([*others, Crowd(begin, end)], key=lambda crowd: crowd.begin)[-MOST_CROWDS:]
        if tuple(crowds) == self.crowds:
            return Meaning.KNOWN, self
        return Meaning.GROWN if touched else Meaning.NEW, replace(self, crowds=tuple(crowds))


def notification_of(device: WatchedDevice, count: Headcount) -> Notification:
    """The alert of a crowd that begins with `count`."""
    location = device.location and {
        "latitude": device.location.latitude,
        "longitude": device.location.longitude,
    }
    body = {
        "alert_id": stable_id("al", KIND, device.device_id, to_iso(count.begin)),
        "kind": KIND,
        "visit_id": None,
        "device": {"id": device.device_id, "name": device.name, "site": device.site, "location": location},
        "person": None,
        "watchlist": None,
        "similarity": None,
        "seen_at": to_iso(count.begin),
        "frames": None,
        "crowd": {
            "people": count.people,
            "people_limit": device.people_limit,
            "window_start": to_iso(count.begin),
            "window_end": to_iso(count.end),
        },
        "evidence": None,
        "console_url": None,
        "schema_version": SCHEMA_VERSION,
    }
    content = json.dumps(body, ensure_ascii=False)
    return Notification(_subject(device, count), content, _attributes(device, count), _text(device, count))


def _subject(device: WatchedDevice, count: Headcount) -> str:
    """`Crowd at Gate 3: 7 people, limit 5, 14:02:00`: the time is the device's."""
    where = cut(to_ascii(device.name) or device.device_id, MAX_DEVICE)
    time = time_of_day(count.begin, device.time_zone)
    return f"Crowd at {where}: {count.people} people, limit {device.people_limit}, {time}"


def _attributes(device: WatchedDevice, count: Headcount) -> dict[str, str | float]:
    attributes: dict[str, str | float] = {
        "kind": KIND,
        "device_id": device.device_id,
        "severity": SEVERITY,
        "people": count.people,
    }
    # SNS refuses the whole message for one empty attribute.
    return attributes | ({"site": device.site} if device.site else {})


def _text(device: WatchedDevice, count: Headcount) -> str:
    """A mail that needs no program to be read."""
    time = time_of_day(count.begin, device.time_zone)
    lines = [
        f"More people than the limit were at {device.name}.",
        "",
        f"When:    {time} ({to_iso(count.begin)} to {to_iso(count.end)})",
        f"Where:   {device.name}" + (f", {device.site}" if device.site else ""),
        f"People:  {count.people} (limit {device.people_limit})",
        "",
        "There is one alert per crowd: the next one comes after a minute without.",
    ]
    return "\n".join(lines)
