"""Who is where now, of the sightings, in plain Python."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.downstream.oracle import Row, moment

ON_SITE = timedelta(minutes=15)


def presence(rows: Iterable[Row], now: datetime) -> list[dict[str, Any]]:
    """What `GET /presence` must show, by person: the newest visit counts, and undecided sightings do not."""
    by_person: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["person_id"] is not None and row["visit_id"] is not None:
            by_person[row["person_id"]].append(row)
    return [_place(seen, now) for _, seen in sorted(by_person.items())]


def _place(seen: list[Row], now: datetime) -> dict[str, Any]:
    newest = max(seen, key=lambda row: (row["seen_at"], row["visit_id"]))
    began = min(row["seen_at"] for row in seen if row["visit_id"] == newest["visit_id"])
    names = ("person_id", "person_name", "device_id", "site", "visit_id")
    return {name: newest[name] for name in names} | {
        "since": began,
        "last_seen_at": newest["seen_at"],
        "on_site": now - moment(newest["seen_at"]) <= ON_SITE,
    }
