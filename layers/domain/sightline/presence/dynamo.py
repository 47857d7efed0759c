"""The presence table, written by any number of workers at the same time."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import error_code
from sightline.outages import any_failure_means_later
from sightline.presence.items import KEYS_AT_ONCE, get_items, item_of, stored_of
from sightline.presence.model import Change, Stored

WRITES_AT_ONCE = 8  # of boto3's ten connections
MOST_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class DynamoPresences:
    """`client` is a boto3 DynamoDB client; a presence is forgotten `kept` after the person was last seen.

    What was read or written once is remembered. It may be out of date: then a write is refused, and says how
    the item is now. So people who are seen again and again cost one call a batch.
    """

    client: Any
    table: str
    kept: timedelta
    _cache: dict[str, Stored] = field(default_factory=dict)

    def read(self, person_ids: Collection[str]) -> Mapping[str, Stored]:
        unknown = [person_id for person_id in person_ids if person_id not in self._cache]
        found: dict[str, Stored] = {}
        for begin in range(0, len(unknown), KEYS_AT_ONCE):
            with any_failure_means_later("the presence table"):
                items = get_items(self.client, self.table, unknown[begin : begin + KEYS_AT_ONCE])
            found |= {person_id: stored_of(item) for person_id, item in items.items()}
        answer = {
            person_id: self._cache.get(person_id) or found.get(person_id, stored_of(None))
            for person_id in person_ids
        }
        self._remember(found)
        return answer

    def write(self, changes: Sequence[Change]) -> Mapping[str, Stored]:
        if len(changes) == 1:
            outcomes = [self._write_one(changes[0])]
        else:
            with ThreadPoolExecutor(WRITES_AT_ONCE) as threads:
                outcomes = list(threads.map(self._write_one, changes))
        return {
            change.presence.person_id: lost
            for change, lost in zip(changes, outcomes, strict=True)
            if lost is not None
        }

    def _write_one(self, change: Change) -> Stored | None:
        """None when it is done, otherwise what somebody else has written."""
        person_id = change.presence.person_id
        lost: Stored | None = None
        with any_failure_means_later("the presence table"):
            try:
                self.client.put_item(**self._put(change))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                item: Any = error.response.get("Item")
                lost = stored_of(item)
        self._remember({person_id: lost or Stored(change.version + 1, change.presence)})
        return lost

    def _put(self, change: Change) -> dict[str, Any]:
        put = {
            "TableName": self.table,
            "Item": item_of(change, self.kept),
            # Whoever comes second learns in the same call what the first one wrote.
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if change.version == 0:
            return put | {"ConditionExpression": "attribute_not_exists(person_id)"}
        return put | {
            "ConditionExpression": "#version = :based_on",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":based_on": {"N": str(change.version)}},
        }

    def _remember(self, found: Mapping[str, Stored]) -> None:
        if len(self._cache) + len(found) > MOST_CACHED:
            self._cache.clear()
        self._cache.update(found)
