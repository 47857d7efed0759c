"""What moto reads slowly: a query sorts the whole table, and each comparison converts both its sides."""

import copy
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from sightline_local.cloud.patches import original_of, replace

_INDEX_NAME = 6  # its place after the hash key, for those who give it by place
_NOTHING = (None,) * (_INDEX_NAME + 1)


def install() -> None:
    look_only_under_the_hash_key()
    sort_by_values()


def look_only_under_the_hash_key() -> None:
    """Of the table itself, that is; an index has its keys in the items."""
    original = original_of(Table, "query")

    def query(self: Any, hash_key: DynamoType | None, *given: Any, **more: Any) -> Any:
        if (more.get("index_name") or (*given, *_NOTHING)[_INDEX_NAME]) is not None:
            return original(self, hash_key, *given, **more)
        part = copy.copy(self)
        found = self.items.get(hash_key)
        part.items = {} if found is None else {hash_key: found}
        return original(part, hash_key, *given, **more)

    replace(Table, "query", query)


def sort_by_values() -> None:
    """A key of one table has one type, so its values can be compared."""

    def all_items(self: Any) -> list[Item]:
        if self.range_key_attr:
            items = [item for of_hash in self.items.values() for item in of_hash.values()]
            return sorted(items, key=lambda item: (item.hash_key.cast_value, item.range_key.cast_value))
        return sorted(self.items.values(), key=lambda item: item.hash_key.cast_value)

    replace(Table, "all_items", all_items)
