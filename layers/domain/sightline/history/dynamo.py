"""The sightings table: by device and time, its index `by_person` by person and time."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from sightline.aws import busy_means_unavailable
from sightline.clock import Clock, to_iso
from sightline.errors import UnavailableError
from sightline.history.model import Glimpse, SightingRow, SightingSearch, is_moment_key
from sightline.outages import any_failure_means_later
from sightline.paging import Page, PageRequest
from sightline.timeline import Window, refuse_cursor

ITEMS_AT_ONCE = 25  # of BatchWriteItem
# What a busy table leaves undone goes again after longer and longer pauses.
PAUSES_SECONDS = (0.05, 0.2, 0.8)
# A request ends well before its function does: after so many queries it gives the place it has come to.
QUERIES_PER_PAGE = 30
FILTERED_AT_ONCE = 200
# Sort before and after every moment of our calendar.
_BEGINNING, _END = "0", "9"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DynamoKeptSightings:
    """`client` is a boto3 DynamoDB client; rows are forgotten `kept` after they were recorded."""

    client: Any
    table: str
    kept: timedelta
    clock: Clock
    pause: Callable[[float], None]

    def put(self, rows: Sequence[SightingRow]) -> frozenset[str]:
        # Twice in a stream is one row here, and BatchWriteItem refuses to be told the same key twice.
        unique = list({(row.device_id, row.moment_key): row for row in rows}.values())
        chunks = (unique[n : n + ITEMS_AT_ONCE] for n in range(0, len(unique), ITEMS_AT_ONCE))
        return frozenset(sighting_id for chunk in chunks for sighting_id in self._put_chunk(chunk))

    def page(self, search: SightingSearch, request: PageRequest) -> Page[dict[str, Any]]:
        reached = request.after
        if reached is not None and not is_moment_key(reached):
            refuse_cursor()
        at_once = FILTERED_AT_ONCE if search.device_id and search.person_id else request.limit + 1
        query = self._query(search) | {"ScanIndexForward": False, "Limit": at_once}
        items: list[Item] = []
        for found, key in islice(self._walk(query, search.window, end_key=reached), QUERIES_PER_PAGE):
            # A place of the list is the last item that was given; BETWEEN takes both ends.
            items += (item for item in found if item["moment_key"]["S"] != request.after)
            if len(items) >= request.limit:
                items = items[: request.limit]
                return Page(_rows(items), items[-1]["moment_key"]["S"])
            reached = key
        return Page(_rows(items), reached)

    def glimpses(self, person_id: str, window: Window, begin_key: str | None) -> Iterator[Glimpse]:
        query = self._query(SightingSearch(None, person_id))
        query["ProjectionExpression"] = "moment_key, device_id, site, visit_id, similarity, sighting_id"
        for items, _ in self._walk(query, window, begin_key=begin_key):
            yield from map(_glimpse, items)

    def _put_chunk(self, rows: Sequence[SightingRow]) -> Sequence[str]:
        """The ids of what has not gone in after all attempts."""
        left = [{"PutRequest": {"Item": _item(row, row.recorded_at + self.kept)}} for row in rows]
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                left = self._put_once(left)
            except UnavailableError:
                break  # boto3 has tried several times already
            if not left or pause_seconds is None:
                break
            self.pause(pause_seconds)
        return [each["PutRequest"]["Item"]["sighting_id"]["S"] for each in left]

    def _put_once(self, requests: list[Item]) -> list[Item]:
        with any_failure_means_later("the sightings table"):
            answer = self.client.batch_write_item(RequestItems={self.table: requests})
        left: list[Item] = answer.get("UnprocessedItems", {}).get(self.table, [])
        return left

    def _query(self, search: SightingSearch) -> dict[str, Any]:
        """Whose and where; DynamoDB forgets an item up to days after it has expired."""
        by_person = search.person_id is not None
        key, value = ("person_id", search.person_id) if by_person else ("device_id", search.device_id)
        condition, values = "#expires > :now", {":now": {"N": str(int(self.clock().timestamp()))}}
        names = {"#key": key, "#expires": "expires"}
        if by_person and search.device_id is not None:
            condition += " AND device_id = :device"
            values[":device"] = {"S": search.device_id}
        return {
            "TableName": self.table,
            **({"IndexName": "by_person"} if by_person else {}),
            "KeyConditionExpression": "#key = :key AND moment_key BETWEEN :begin AND :end",
            "FilterExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":key": {"S": value}, **values},
        }

    def _walk(
        self,
        query: dict[str, Any],
        window: Window,
        *,
        begin_key: str | None = None,
        end_key: str | None = None,
    ) -> Iterator[tuple[list[Item], str | None]]:
        """The items of each query, and the moment key behind them; None when nothing is left."""
        begin = max(to_iso(window.begin) if window.begin else _BEGINNING, begin_key or _BEGINNING)
        end = min(to_iso(window.end) if window.end else _END, end_key or _END)
        if begin > end:  # a place of another list
            return
        query["ExpressionAttributeValues"] |= {":begin": {"S": begin}, ":end": {"S": end}}
        start: dict[str, Any] = {}
        while True:
            with busy_means_unavailable("DynamoDB"):
                answer = self.client.query(**query, **start)
            last = answer.get("LastEvaluatedKey")
            yield answer["Items"], last and last["moment_key"]["S"]
            if last is None:
                return
            start = {"ExclusiveStartKey": last}


def _item(row: SightingRow, expires: Any) -> Item:
    texts = {
        "device_id": row.device_id,
        "moment_key": row.moment_key,
        "sighting_id": row.sighting_id,
        "person_id": row.person_id,
        "visit_id": row.visit_id,
        "site": row.site or None,
        "row": row.content,
    }
    item: Item = {name: {"S": text} for name, text in texts.items() if text is not None}
    item["expires"] = {"N": str(int(expires.timestamp()))}
    if row.similarity_percent is not None:
        # DynamoDB refuses numbers below 1E-130, and with them the whole batch.
        item["similarity"] = {"N": str(Decimal(str(round(row.similarity_percent, 6))))}
    return item


def _rows(items: Sequence[Item]) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(item["row"]["S"]) for item in items)


def _glimpse(item: Item) -> Glimpse:
    sighting_id = item["sighting_id"]["S"]
    return Glimpse(
        item["moment_key"]["S"],
        item["device_id"]["S"],
        item["site"]["S"] if "site" in item else None,
        # A row that belongs to no visit is one by itself.
        item["visit_id"]["S"] if "visit_id" in item else sighting_id,
        float(item["similarity"]["N"]) if "similarity" in item else 0.0,
    )
