"""Rows of the sightings stream whose answers can be computed without SQL."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline.clock import to_iso
from tests.builders import a_sighting_row

Row = dict[str, Any]

LAST_DAY = datetime(2026, 11, 22, tzinfo=UTC)
DEVICES = {"gate-1": "north", "gate-2": "north", "gate-3": "Harbour", "door": "Harbour", "yard": None}
PEOPLE = ("ada", "grace", "alan", "edsger", "barbara")
# Days before the last one: within a week, within thirty days, and before that.
DAYS = (0, 1, 3, 7, 8, 20, 30, 31, 45)


def known_rows() -> Iterator[Row]:
    """The same ones each time, in the order of their writing, with repeated and late ones among them."""
    chance = random.Random(5)
    for days in DAYS:
        for visit in range(12):
            begin = LAST_DAY - timedelta(days=days) + timedelta(seconds=chance.randrange(3600, 14_400))
            person = chance.choice(PEOPLE)
            yield from _visit(chance, f"vi-{days}-{visit}", person, begin)
        yield from _visit(chance, None, None, LAST_DAY - timedelta(days=days) + timedelta(hours=3))


def _visit(chance: random.Random, visit_id: str | None, person: str | None, begin: datetime) -> Iterator[Row]:
    device = chance.choice(list(DEVICES))
    late = chance.choice((0.4, 0.4, 0.4, 60.0, 60.001, 3_600.0))
    for frame in range(chance.randrange(1, 9)):
        seen_at = begin + timedelta(seconds=frame * 0.2)
        row = a_sighting_row(person_id=person, device_id=device) | {
            "sighting_id": f"si-{visit_id or device}-{seen_at.timestamp():.3f}",
            "site": DEVICES[device],
            "seen_at": to_iso(seen_at),
            "person_name": person and person.title(),
            "similarity": None if person is None else round(chance.uniform(80, 100), 3),
            "visit_id": visit_id,
            "recorded_at": to_iso(seen_at + timedelta(seconds=late)),
        }
        yield row
        if chance.random() < 0.05:
            yield row
