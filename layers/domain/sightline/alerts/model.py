"""What an alert says, to people and to programs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline.alerts.evidence import evidence_of
from sightline.alerts.visit import Run
from sightline.clock import to_iso
from sightline.sightings.model import DeviceFacts, Sighting, stable_id
from sightline.watchlist.model import Watchlist
from sightline.wording import cut, time_of_day, to_ascii

SCHEMA_VERSION = 1
# An unknown face is on no list; filter policies by severity still find it.
SEVERITY_OF_UNKNOWN = "low"
# SNS: "less than 100 characters long", ASCII, no line breaks, no control characters.
MAX_SUBJECT = 99
# How much of the person, the watchlist and the device fits beside the words and the time of a subject.
MAX_PERSON, MAX_WATCHLIST, MAX_DEVICE = 33, 16, 24


@dataclass(frozen=True, slots=True)
class Notification:
    """Exactly what is published, and published again if need be; a number attribute stays one in SNS.

    `body` is for programs (JSON), `text` for people who read mail; the subject is enough for an SMS.
    """

    subject: str
    body: str
    attributes: Mapping[str, str | float]
    text: str = ""

    def to_text(self) -> str:
        content = {
            "subject": self.subject,
            "body": self.body,
            "attributes": dict(self.attributes),
            "text": self.text,
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> "Notification":
        return cls(**json.loads(text))


def alert_id_of(visit_id: str) -> str:
    """One visit has one alert, however often it is sent."""
    return stable_id("al", visit_id)


def notification_of(
    run: Run, visit_id: str, *, seen_at: datetime | None = None, frames: int | None = None
) -> Notification:
    """The alert of a visit that `run` decides: since when `frames` agreed, and the best frame of the run."""
    best, since = run.best, seen_at or run.first_seen_at
    body = {
        "alert_id": alert_id_of(visit_id),
        "visit_id": visit_id,
        "device": _device(best.device),
        "person": best.person and {"id": best.person.person_id, "name": best.person.person_name},
        "watchlist": _watchlist(best.watchlist),
        "similarity": best.match and best.match.similarity_percent,
        "seen_at": to_iso(since),
        "frames": frames or len(run.counting),
        "evidence": evidence_of(best),
        "console_url": None,
        "schema_version": SCHEMA_VERSION,
    }
    content = json.dumps(body, ensure_ascii=False)
    return Notification(subject_of(best, since), content, _attributes(best), _text(best, since))


def subject_of(best: Sighting, seen_at: datetime) -> str:
    """`Ada Lovelace (Watchlist) seen at Gate 3, 14:02:07`: the time is the device's."""
    device = best.device
    where = to_ascii(device.name) or device.device_id
    time = time_of_day(seen_at, device.time_zone)
    if best.person is None:
        return f"Unknown face seen at {cut(where, MAX_DEVICE * 2)}, {time}"
    who = to_ascii(best.person.person_name) or best.person.person_id
    listed = to_ascii(best.watchlist.name) if best.watchlist else ""
    subject = f"{who} ({listed}) seen at {where}, {time}"
    if len(subject) <= MAX_SUBJECT:
        return subject
    return f"{cut(who, MAX_PERSON)} ({cut(listed, MAX_WATCHLIST)}) seen at {cut(where, MAX_DEVICE)}, {time}"


def _text(best: Sighting, seen_at: datetime) -> str:
    """A mail that needs no program to be read."""
    device, watchlist = best.device, best.watchlist
    lines = [f"{best.person.person_name if best.person else 'An unknown face'} was seen at {device.name}."]
    lines += ["", f"When:       {time_of_day(seen_at, device.time_zone)} ({to_iso(seen_at)})"]
    lines += [f"Where:      {device.name}" + (f", {device.site}" if device.site else "")]
    if watchlist is not None:
        lines += [f"Watchlist:  {watchlist.name} ({watchlist.kind}, severity {watchlist.severity})"]
    if best.match is not None:
        lines += [f"Similarity: {best.match.similarity_percent:.1f} %"]
    return "\n".join([*lines, "", "A resemblance is not an identity: look at the evidence before you act."])


def _device(device: DeviceFacts) -> dict[str, Any]:
    location = device.location and {
        "latitude": device.location.latitude,
        "longitude": device.location.longitude,
    }
    return {"id": device.device_id, "name": device.name, "site": device.site, "location": location}


def _watchlist(watchlist: Watchlist | None) -> dict[str, Any] | None:
    if watchlist is None:
        return None
    return {
        "id": watchlist.watchlist_id,
        "name": watchlist.name,
        "severity": watchlist.severity,
        "kind": watchlist.kind,
    }


def _attributes(sighting: Sighting) -> dict[str, str | float]:
    watchlist = sighting.watchlist
    attributes: dict[str, str | float | None] = {
        "site": sighting.device.site,
        "device_id": sighting.device.device_id,
        "watchlist_id": watchlist.watchlist_id if watchlist else None,
        "severity": watchlist.severity if watchlist else SEVERITY_OF_UNKNOWN,
        "similarity": sighting.match.similarity_percent if sighting.match else None,
    }
    # SNS refuses the whole message for one empty attribute.
    return {name: value for name, value in attributes.items() if value not in {None, ""}}  # type: ignore[misc]
