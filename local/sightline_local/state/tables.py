"""DynamoDB: the items of every table, kept as they are after each write."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from sightline_local.cloud.calls import Call
from sightline_local.state.facts import Facts, FactsNotKeptError

_KIND = "dynamodb.item"
_BY_STATEMENT = frozenset({"ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"})
Key = tuple[str, dict[str, Any]]  # table, and attributes that hold the item's key
ItemKey = tuple[Any, Any]  # moto's, hash and range


class Tables:
    """`after` runs while no other call changes a table: the gateway lets them to moto one at a time."""

    def __init__(self, facts: Facts, account: str, region: str) -> None:
        self._facts = facts
        self._account = account
        self._region = region

    def after(self, call: Call) -> None:
        if call.operation in _BY_STATEMENT or call.operation.startswith("Restore"):
            self._keep_all()
            return
        if call.operation == "DeleteTable":
            self._forget(_name(call.params["TableName"]))
            return
        self._keep(list(_written(call)))

    def restore(self) -> list[str]:
        homeless = set()
        for fact_key, value in self._facts.all(_KIND):
            table = self._tables().get(fact_key.partition("/")[0])
            if table is None:
                homeless.add(f"table {fact_key.partition('/')[0]}")
            else:
                _put(table, _from_json(value))
        return sorted(homeless)

    def begin(self) -> None: ...

    def _tables(self) -> Any:
        return dynamodb_backends[self._account][self._region].tables

    def _keep(self, keys: list[Key]) -> None:
        written = [self._placed(*key) for key in keys]
        present = [(fact_key, table.get_item(*item_key)) for table, item_key, fact_key in written]
        there = [(fact_key, _as_json(item.to_json()["Attributes"])) for fact_key, item in present if item]
        gone = [fact_key for fact_key, item in present if item is None]
        try:
            with self._facts.transaction():
                self._facts.put_many(_KIND, there)
                self._facts.delete(_KIND, gone)
        except FactsNotKeptError:
            for place in written:
                self._put_back(*place)
            raise

    def _placed(self, table_name: str, attributes: dict[str, Any]) -> tuple[Any, ItemKey, str]:
        table = self._tables()[table_name]
        names = (table.hash_key_attr, table.range_key_attr)
        values = [
            _from_json(_as_json(attributes[name])) for name in names if name
        ]  # moto holds bytes as such
        item_key = [DynamoType(value) for value in values] + [None]
        return table, (item_key[0], item_key[1]), _fact_key(table_name, values)

    def _put_back(self, table: Any, item_key: ItemKey, fact_key: str) -> None:
        """As it was before: what is not acknowledged must not be seen."""
        kept = self._facts.get(_KIND, fact_key)
        if kept is None:
            table.delete_item(*item_key)
        else:
            _put(table, _from_json(kept))

    def _keep_all(self) -> None:
        """After a statement that says in PartiQL what it changes, and after a restored table."""
        present = dict(self._present())
        with self._facts.transaction():
            known = {key for key, _ in self._facts.all(_KIND) if key.partition("/")[0] in self._tables()}
            self._facts.put_many(_KIND, present.items())
            self._facts.delete(_KIND, known - present.keys())

    def _present(self) -> Iterator[tuple[str, bytes]]:
        for name, table in self._tables().items():
            for item in table.all_items():
                attributes = item.to_json()["Attributes"]
                keys = [attributes[key] for key in (table.hash_key_attr, table.range_key_attr) if key]
                yield _fact_key(name, keys), _as_json(attributes)

    def _forget(self, table_name: str) -> None:
        keys = [key for key, _ in self._facts.all(_KIND, prefix=f"{table_name}/")]
        self._facts.delete(_KIND, keys)


def _written(call: Call) -> Iterator[Key]:
    """The keys that a call wrote, or may have."""
    params = call.params
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield _name(params["TableName"]), params.get("Key") or params["Item"]
    elif call.operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            for request in requests:
                part = request.get("PutRequest") or request["DeleteRequest"]
                yield _name(table), part.get("Item") or part["Key"]
    elif call.operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            part = next(iter(item.values()))
            yield _name(part["TableName"]), part.get("Key") or part["Item"]


def _name(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2]


def _fact_key(table: str, values: list[dict[str, Any]]) -> str:
    return f"{table}/{_as_json(values).decode()}"


def _as_json(value: Any) -> bytes:
    """As the API writes it: bytes in base64."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_base64).encode()


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _from_json(fact: bytes) -> Any:
    return json.loads(fact, object_hook=_with_bytes)


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("B"), str):
        return {"B": b64decode(value["B"])}
    if isinstance(value.get("BS"), list):
        return {"BS": [b64decode(each) for each in value["BS"]]}
    return value


def _put(table: Any, attributes: dict[str, Any]) -> None:
    """As moto's table does it, without conditions and without telling a stream again."""
    hash_key = DynamoType(attributes[table.hash_key_attr])
    range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
    item = Item(hash_key, range_key, {})
    # Past moto's own insertion, which measures the whole item with every attribute.
    dict.update(item.attrs, {name: DynamoType(value) for name, value in attributes.items()})
    if range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item
