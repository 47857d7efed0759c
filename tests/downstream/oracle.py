"""What was on the sightings stream, in plain Python from its bytes: what all consumers must agree to."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Truth:
    """`sightings` has each one as it came first, in the order of coming."""

    sightings: dict[str, Row] = field(default_factory=dict)
    deliveries: list[Row] = field(default_factory=list)
    malformed: list[bytes] = field(default_factory=list)

    @property
    def last_recorded(self) -> dict[str, Row]:
        """Each sighting as it was recorded last; a repeated one differs in nothing else."""
        latest: dict[str, Row] = {}
        for row in self.deliveries:
            known = latest.get(row["sighting_id"])
            if known is None or row["recorded_at"] > known["recorded_at"]:
                latest[row["sighting_id"]] = row
        return latest


def read(payloads: Iterable[bytes]) -> Truth:
    """The truth about what was sent, in the order of sending."""
    truth = Truth()
    for payload in payloads:
        row = _sighting(payload)
        if row is None:
            truth.malformed.append(payload)
            continue
        truth.deliveries.append(row)
        truth.sightings.setdefault(row["sighting_id"], row)
    return truth


def moment(text: str) -> datetime:
    """Aware, of an ISO 8601 text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def visits(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Visit id → its sightings in order of time; undecided ones are in none."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["visit_id"] is not None:
            found[row["visit_id"]].append(row)
    return {visit: sorted(each, key=lambda row: row["seen_at"]) for visit, each in found.items()}


def ways(rows: Iterable[Row]) -> list[tuple[str, str, str, str, str]]:
    """Person, from, to, left, arrived: two visits of a person that follow each other at two devices."""
    by_person: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for each in visits(rows).values():
        if each[0]["person_id"] is not None:
            by_person[each[0]["person_id"]].append(
                (each[0]["seen_at"], each[-1]["seen_at"], each[0]["device_id"])
            )
    found = []
    for person, seen in by_person.items():
        seen.sort()
        for (_, left, before), (arrived, _, after) in pairwise(seen):
            if before != after:
                found.append((person, before, after, left, arrived))
    return sorted(found)


def _sighting(payload: bytes) -> Row | None:
    try:
        row = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(row, dict) or not all(_is_text(row.get(name)) for name in ("sighting_id", "device_id")):
        return None
    try:
        moment(row["seen_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return row


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
