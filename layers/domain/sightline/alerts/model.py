"""What an alert says, to people and to programs."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sightline.alerts.visit import Run
from sightline.clock import to_iso
from sightline.sightings.model import DeviceFacts, Sighting, stable_id
from sightline.watchlist.model import DEFAULT_WATCHLIST, Watchlist

SCHEMA_VERSION = 1
# SNS: "less than 100 characters long", ASCII, no line breaks, no control characters.
MAX_SUBJECT = 99
# How much of the person, the watchlist and the device fits beside the words and the time of a subject.
MAX_PERSON, MAX_WATCHLIST, MAX_DEVICE = 33, 16, 24
# Signs that Unicode does not decompose into a Latin one and an accent.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "þ": "th",
        "Þ": "Th",
        "\u0131": "i",
        "\u2019": "'",
        "\u2013": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Notification:
    """Exactly what is published, and published again if need be; a number attribute stays one in SNS."""

    subject: str
    body: str
    attributes: Mapping[str, str | float]

    def to_text(self) -> str:
        content = {"subject": self.subject, "body": self.body, "attributes": dict(self.attributes)}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> "Notification":
        return cls(**json.loads(text))


def alert_id_of(visit_id: str) -> str:
    """One visit has one alert, however often it is sent."""
    return stable_id("al", visit_id)


def notification_of(run: Run, visit_id: str) -> Notification:
    """The alert of the visit that `run` begins: when it began, and the frame that shows the person best."""
    best, watchlist = run.best, DEFAULT_WATCHLIST
    body = {
        "alert_id": alert_id_of(visit_id),
        "visit_id": visit_id,
        "device": _device(best.device),
        "person": {"id": best.person.person_id, "name": best.person.person_name},
        "watchlist": {"id": watchlist.watchlist_id, "name": watchlist.name, "severity": watchlist.severity},
        "similarity": best.match.similarity_percent,
        "seen_at": to_iso(run.first_seen_at),
        "frames": len(run.sightings),
        "evidence": _evidence(best),
        "console_url": None,
        "schema_version": SCHEMA_VERSION,
    }
    return Notification(
        subject_of(run, watchlist), json.dumps(body, ensure_ascii=False), _attributes(best, watchlist)
    )


def subject_of(run: Run, watchlist: Watchlist) -> str:
    """`Ada Lovelace (Watchlist) seen at Gate 3, 14:02:07`: the time is the device's."""
    device, person = run.best.device, run.best.person
    who = _ascii(person.person_name) or person.person_id
    where = _ascii(device.name) or device.device_id
    time = _time_of_day(run.first_seen_at, device.time_zone)
    subject = f"{who} ({_ascii(watchlist.name)}) seen at {where}, {time}"
    if len(subject) <= MAX_SUBJECT:
        return subject
    what = _cut(_ascii(watchlist.name), MAX_WATCHLIST)
    return f"{_cut(who, MAX_PERSON)} ({what}) seen at {_cut(where, MAX_DEVICE)}, {time}"


def _time_of_day(moment: datetime, time_zone: str) -> str:
    try:
        return moment.astimezone(ZoneInfo(time_zone)).strftime("%H:%M:%S")
    except (KeyError, ValueError, OSError):  # a zone that this machine's data does not know stops no alert
        return moment.strftime("%H:%M:%S UTC")


def _device(device: DeviceFacts) -> dict[str, Any]:
    location = device.location and {
        "latitude": device.location.latitude,
        "longitude": device.location.longitude,
    }
    return {"id": device.device_id, "name": device.name, "site": device.site, "location": location}


def _evidence(sighting: Sighting) -> dict[str, Any]:
    frame, box = sighting.frame, sighting.face.box
    return {
        "status": "pending",
        "video_stream_arn": frame.video_stream_arn,
        "fragment_number": frame.fragment_number,
        "frame_offset_seconds": frame.frame_offset_seconds,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
    }


def _attributes(sighting: Sighting, watchlist: Watchlist) -> dict[str, str | float]:
    attributes: dict[str, str | float | None] = {
        "site": sighting.device.site,
        "device_id": sighting.device.device_id,
        "watchlist_id": watchlist.watchlist_id,
        "severity": watchlist.severity,
        "similarity": sighting.match.similarity_percent,
    }
    # SNS refuses the whole message for one empty attribute.
    return {name: value for name, value in attributes.items() if value not in {None, ""}}  # type: ignore[misc]


def _ascii(text: str) -> str:
    """The nearest ASCII, `?` for each sign that has none; empty if not even one letter or digit is left."""
    plain = unicodedata.normalize("NFKD", text.translate(_LATIN))
    signs = (sign for sign in plain if not unicodedata.combining(sign))
    safe = "".join(sign if " " <= sign <= "~" else "?" for sign in signs).strip()
    return safe if any(sign.isalnum() for sign in safe) else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."
