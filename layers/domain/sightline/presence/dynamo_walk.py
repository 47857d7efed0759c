"""The presence table, looked through: its index `by_site` and `by_device`, of keys alone, or all of it.

The indexes name people and nothing else, so a write changes them only when a person goes to another place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.aws import busy_means_unavailable
from sightline.clock import Clock
from sightline.presence.items import KEYS_AT_ONCE, Item, get_items, has_expired, key_of, presence_of
from sightline.presence.model import Presence, PresenceSearch

Step = tuple[Sequence[Presence], str | None]


@dataclass(frozen=True, slots=True)
class DynamoKeptPresences:
    """`client` is a boto3 DynamoDB client."""

    client: Any
    table: str
    clock: Clock

    def one(self, person_id: str) -> Presence | None:
        with busy_means_unavailable("DynamoDB"):
            answer = self.client.get_item(TableName=self.table, Key=key_of(person_id))
        found = self._presences([answer["Item"]] if "Item" in answer else [])
        return found[0] if found else None

    def walk(self, search: PresenceSearch, after: str | None) -> Iterator[Step]:
        if search.device_id is not None:
            return self._at_place("device_id", search.device_id, after)
        if search.site is not None:
            return self._at_place("site", search.site, after)
        return self._everybody(after)

    def _everybody(self, after: str | None) -> Iterator[Step]:
        """In the order of the table, which is no order that anybody knows, and always the same."""
        start = {"ExclusiveStartKey": key_of(after)} if after else {}
        while True:
            with busy_means_unavailable("DynamoDB"):
                answer = self.client.scan(TableName=self.table, Limit=KEYS_AT_ONCE, **start)
            last = answer.get("LastEvaluatedKey")
            yield self._presences(answer["Items"]), last and last["person_id"]["S"]
            if last is None:
                return
            start = {"ExclusiveStartKey": last}

    def _at_place(self, attribute: str, place: str, after: str | None) -> Iterator[Step]:
        """In the order of person_id."""
        query: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": f"by_{attribute.removesuffix('_id')}",
            "KeyConditionExpression": "#place = :place",
            "ExpressionAttributeNames": {"#place": attribute},
            "ExpressionAttributeValues": {":place": {"S": place}},
            "Limit": KEYS_AT_ONCE,
        }
        if after:
            # Not a start key: the person may have gone elsewhere, and the place in the order stays.
            query["KeyConditionExpression"] += " AND person_id > :after"
            query["ExpressionAttributeValues"][":after"] = {"S": after}
        while True:
            with busy_means_unavailable("DynamoDB"):
                answer = self.client.query(**query)
            person_ids = [item["person_id"]["S"] for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            yield self._read(person_ids), last and last["person_id"]["S"]
            if last is None:
                return
            query["ExclusiveStartKey"] = last

    def _read(self, person_ids: Sequence[str]) -> list[Presence]:
        with busy_means_unavailable("DynamoDB"):
            items = get_items(self.client, self.table, person_ids)
        # BatchGetItem answers in any order.
        return self._presences([items[each] for each in person_ids if each in items])

    def _presences(self, items: Sequence[Item]) -> list[Presence]:
        now = self.clock()
        return [presence_of(item) for item in items if not has_expired(item, now)]
