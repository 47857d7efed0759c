"""The alerts table: read by day, by device or by person; written is nothing but the review."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.clock import from_iso, to_iso
from sightline.paging import Page, PageRequest
from sightline.review.model import AlertRecord, AlertSearch, Review, Status
from sightline.timeline import Place

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize
# With filters most of what a query reads may be of no use; it reads 1 MB at most in any case.
FILTERED_AT_ONCE = 200
# A request ends well before its function does: after so much work it gives the place it has come to. A year
# of days without an alert is one page, and so are 9,000 alerts that a filter leaves out.
WORK_PER_PAGE = 450
ALERTS_LIKE_A_QUERY = 20  # reading so many takes about as long as asking for them
_MILLISECOND = timedelta(milliseconds=1)  # seen_at is kept to the millisecond
_MIDNIGHT = time(tzinfo=UTC)

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Found:
    """Of one query; `behind` is the place after it, None when nothing is left."""

    items: list[Item]
    behind: Place | None
    work: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One key of one index, from `begin` to `end` (excluded)."""

    index: str
    key: str
    value: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DynamoAlerts:
    """`client` is a boto3 DynamoDB client; the indexes follow the table with a short delay."""

    client: Any
    table: str

    def page(self, search: AlertSearch, request: PageRequest) -> Page[AlertRecord]:
        reached = None if request.after is None else Place.from_key(request.after)
        alerts: list[AlertRecord] = []
        work = 0
        for found in self._walk(search, reached, request.limit):
            alerts += map(_record, found.items)
            if len(alerts) >= request.limit:
                last = alerts[request.limit - 1]
                return Page(tuple(alerts[: request.limit]), Place(last.seen_at, last.alert_id).to_key())
            reached, work = found.behind, work + found.work
            if work >= WORK_PER_PAGE:
                break
        return Page(tuple(alerts), None if reached is None else reached.to_key())

    def find(self, alert_id: str) -> AlertRecord | None:
        with busy_means_unavailable("DynamoDB"):
            found = self.client.get_item(TableName=self.table, Key=_key(alert_id), ConsistentRead=True)
        return _record(found["Item"]) if "Item" in found else None

    def save_review(self, alert_id: str, review: Review, *, seen: Review) -> bool:
        condition, names, values = _unchanged(seen)
        try:
            with busy_means_unavailable("DynamoDB"):
                self.client.update_item(
                    TableName=self.table,
                    Key=_key(alert_id),
                    UpdateExpression="SET review = :review",
                    ConditionExpression=f"attribute_exists(alert_id) AND {condition}",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={":review": _SERIALIZE(_review_map(review)), **values},
                )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _walk(self, search: AlertSearch, behind: Place | None, limit: int) -> Iterator[_Found]:
        """Query after query, newest first."""
        begin, end = search.window.begin, search.window.end
        assert begin is not None
        assert end is not None
        if behind is not None and behind.moment < end:
            end = behind.moment + (_MILLISECOND if behind.item_id else timedelta())
        start = behind if behind and behind.item_id and behind.moment < end else None
        filters = _Filters.of(search)
        for stretch in _stretches(search, begin, end):
            at_once = FILTERED_AT_ONCE if filters.parts else limit
            for found in self._query(stretch, filters, at_once, start):
                yield replace(found, behind=None) if found.behind == Place(begin) else found
            start = None
        yield _Found([], None, 0)

    def _query(
        self, stretch: _Stretch, filters: "_Filters", limit: int, behind: Place | None
    ) -> Iterator[_Found]:
        start = {} if behind is None else {"ExclusiveStartKey": _start_key(stretch, behind)}
        while True:
            with busy_means_unavailable("DynamoDB"):
                answer = self.client.query(
                    TableName=self.table,
                    IndexName=stretch.index,
                    ScanIndexForward=False,
                    Limit=limit,
                    **filters.conditions(stretch),
                    **start,
                )
            last, work = answer.get("LastEvaluatedKey"), 1 + answer["ScannedCount"] // ALERTS_LIKE_A_QUERY
            if last is None:
                yield _Found(answer["Items"], Place(stretch.begin), work)
                return
            place = Place(from_iso(last["seen_at"]["S"]), last["alert_id"]["S"])
            yield _Found(answer["Items"], place, work)
            start = {"ExclusiveStartKey": last}


@dataclass(frozen=True, slots=True)
class _Filters:
    """What an index does not narrow down by itself."""

    parts: tuple[str, ...]
    names: dict[str, str]
    values: Item

    @classmethod
    def of(cls, search: AlertSearch) -> "_Filters":
        by_device = search.device_id is not None
        wanted = {
            "person_id": search.person_id if by_device else None,  # otherwise there is an index for it
            "watchlist_id": search.watchlist_id,
            "severity": search.severity,
            "alert_state": search.state,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        parts = [f"{name} = :{name}" for name in given]
        values = {f":{name}": {"S": value} for name, value in given.items()}
        if search.status is None:
            return cls(tuple(parts), {}, values)
        is_status = "review.#status = :status"
        if search.status is Status.OPEN:
            is_status = f"(attribute_not_exists(review) OR {is_status})"
        values[":status"] = {"S": search.status.value}
        return cls((*parts, is_status), {"#status": "status"}, values)

    def conditions(self, stretch: _Stretch) -> dict[str, Any]:
        filters = {"FilterExpression": " AND ".join(self.parts)} if self.parts else {}
        return {
            "KeyConditionExpression": "#key = :key AND seen_at BETWEEN :begin AND :last",
            "ExpressionAttributeNames": {"#key": stretch.key, **self.names},
            "ExpressionAttributeValues": {
                ":key": {"S": stretch.value},
                ":begin": {"S": to_iso(stretch.begin)},
                ":last": {"S": to_iso(stretch.end - _MILLISECOND)},
                **self.values,
            },
            **filters,
        }


def _stretches(search: AlertSearch, begin: datetime, end: datetime) -> Iterator[_Stretch]:
    """What has to be read, newest first: one key of an index, or day after day."""
    if begin >= end:
        return
    if search.device_id is not None:
        yield _Stretch("by_device", "device_id", search.device_id, begin, end)
        return
    if search.person_id is not None:
        yield _Stretch("by_person", "person_id", search.person_id, begin, end)
        return
    while begin < end:
        day = (end - _MILLISECOND).date()
        start = max(begin, datetime.combine(day, _MIDNIGHT))
        yield _Stretch("by_day", "day", day.isoformat(), start, end)
        end = start


def _key(alert_id: str) -> Item:
    return {"alert_id": {"S": alert_id}}


def _start_key(stretch: _Stretch, behind: Place) -> Item:
    index_key = {stretch.key: {"S": stretch.value}, "seen_at": {"S": to_iso(behind.moment)}}
    return _key(behind.item_id) | index_key


def _unchanged(seen: Review) -> tuple[str, dict[str, str], Item]:
    names, values = {"#status": "status"}, {":status": {"S": seen.status.value}}
    if seen.at is None:
        return "(attribute_not_exists(review) OR review.#status = :status)", names, values
    condition = "review.#status = :status AND review.#at = :at"
    return condition, names | {"#at": "at"}, values | {":at": {"S": to_iso(seen.at)}}


def _review_map(review: Review) -> dict[str, Any]:
    return {name: value for name, value in review.to_json().items() if value is not None}


def _review(stored: dict[str, Any]) -> Review:
    return Review(
        Status(stored["status"]),
        stored.get("by"),
        _moment(stored.get("at")),
        stored.get("verdict"),
        stored.get("note"),
        stored.get("acknowledged_by"),
        _moment(stored.get("acknowledged_at")),
    )


def _record(item: Item) -> AlertRecord:
    stored = {name: _DESERIALIZE(value) for name, value in item.items()}
    return AlertRecord(
        stored["alert_id"],
        stored["alert_state"],
        from_iso(stored["seen_at"]),
        from_iso(stored["raised_at"]),
        _moment(stored.get("sent_at")),
        stored["device_id"],
        stored.get("person_id"),
        stored.get("watchlist_id"),
        stored.get("severity"),
        json.loads(stored["body"]),
        _review(stored["review"]) if "review" in stored else Review(),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
