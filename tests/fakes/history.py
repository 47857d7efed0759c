"""In-memory adapters of `sightline.history`; tests/contract/history checks the promises they keep."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.errors import UnavailableError
from sightline.history.model import Glimpse, SightingRow, SightingSearch, is_moment_key
from sightline.paging import Page, PageRequest
from sightline.parking import ParkedRecord
from sightline.timeline import Window, refuse_cursor


@dataclass
class FakeKeptSightings:
    """`refused`: the ids of rows that are not taken."""

    rows: dict[tuple[str, str], SightingRow] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def put(self, rows: Sequence[SightingRow]) -> frozenset[str]:
        taken = [row for row in rows if row.sighting_id not in self.refused]
        self.rows |= {(row.device_id, row.moment_key): row for row in taken}
        return frozenset(row.sighting_id for row in rows) & self.refused

    def page(self, search: SightingSearch, request: PageRequest) -> Page[dict[str, Any]]:
        if request.after is not None and not is_moment_key(request.after):
            refuse_cursor()
        found = [
            row
            for row in self._in_order(search.window)
            if search.device_id in {None, row.device_id} and search.person_id in {None, row.person_id}
        ]
        left = [row for row in reversed(found) if request.after is None or row.moment_key < request.after]
        page = left[: request.limit]
        last = page[-1].moment_key if len(left) > len(page) else None
        return Page(tuple(json.loads(row.content) for row in page), last)

    def glimpses(self, person_id: str, window: Window, begin_key: str | None) -> Iterator[Glimpse]:
        for row in self._in_order(window):
            if row.person_id == person_id and row.moment_key >= (begin_key or ""):
                visit_id, similarity = row.visit_id or row.sighting_id, row.similarity_percent or 0.0
                yield Glimpse(row.moment_key, row.device_id, row.site, visit_id, similarity)

    def _in_order(self, window: Window) -> list[SightingRow]:
        rows = (row for row in self.rows.values() if window.holds(row.seen_at))
        return sorted(rows, key=lambda row: row.moment_key)


@dataclass
class FakeParkedRows:
    rows: list[ParkedRecord] = field(default_factory=list)
    is_down: bool = False

    def park(self, record: ParkedRecord) -> None:
        if self.is_down:
            raise UnavailableError("the bucket for parked records refused: NoSuchBucket")
        self.rows.append(record)
