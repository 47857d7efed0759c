"""What DynamoDB refuses and moto's tables take in, or break on; and transactions that copy whole tables."""

import copy
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException, MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.validators import UpdateExpressionValidator
from moto.dynamodb.responses import DynamoHandler

from sightline_local.cloud.patches import original_of, replace

_MOST_DIGITS = 38
_MOST_WRITES = 25
_TOKEN_SECONDS = 600
# The methods of moto that take in items.
_WRITES = ("batch_write_item", "put_item", "transact_write_items", "update_item")


def undo_transactions_item_by_item() -> None:
    """Moto copies whole tables for a transaction, and puts the copies back when it is cancelled."""
    original = original_of(dynamodb_models.DynamoDBBackend, "transact_write_items")

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        before = [kept for item in transact_items if (kept := _item_before(self, item))]
        try:
            original(self, transact_items)
        except Exception:
            for table, key, item in before:
                _put_back(table, key, item)
            raise

    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, dynamodb_models.Table) else copy.deepcopy(value)

    replace(dynamodb_models, "copy", SimpleNamespace(deepcopy=deepcopy))
    replace(dynamodb_models.DynamoDBBackend, "transact_write_items", transact_write_items)


def _item_before(backend: Any, item: dict[str, Any]) -> tuple[Any, tuple[Any, Any], Any] | None:
    part = next(iter(item.values()))
    table = backend.tables.get(str(part.get("TableName", "")).rpartition("/")[2])
    attributes = part.get("Item", part.get("Key", {}))
    names = [] if table is None else [table.hash_key_attr, table.range_key_attr]
    if table is None or any(name and name not in attributes for name in names):
        return None  # moto refuses it by itself
    key = tuple(DynamoType(attributes[name]) if name else None for name in names)
    return table, (key[0], key[1]), copy.deepcopy(table.get_item(*key))


def _put_back(table: Any, key: tuple[Any, Any], item: Any) -> None:
    hash_key, range_key = key
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item


def install() -> None:
    name_attribute_names_that_are_not_defined()
    check_batches_of_writes()
    refuse_numbers_that_are_too_exact()
    do_a_transaction_once_for_its_token()


def refuse_numbers_that_are_too_exact() -> None:
    """Moto keeps a number of any length as the text that it came as."""
    for name in _WRITES:
        replace(DynamoHandler, name, _checking_numbers(getattr(DynamoHandler, name)))


def _checking_numbers(original: Any) -> Any:
    def write(self: Any) -> Any:
        if any(_digits(number) > _MOST_DIGITS for number in _numbers(self.body)):
            digits = f"more than {_MOST_DIGITS} significant digits in a Number"
            raise MockValidationException(f"Attempting to store {digits}")
        return original(self)

    return write


def _digits(number: str) -> int:
    try:
        digits = "".join(str(digit) for digit in Decimal(number).as_tuple().digits)
    except ArithmeticError:
        return 0  # moto says itself that it is no number
    return len(digits.strip("0"))


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("N"), str):
            yield value["N"]
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)


def check_batches_of_writes() -> None:
    """Moto takes any number, and compares whole items: two that differ elsewhere may have the same key."""
    original = original_of(dynamodb_models.DynamoDBBackend, "get_table")
    write = original_of(DynamoHandler, "batch_write_item")

    def batch_write_item(self: Any) -> Any:
        if sum(len(requests) for requests in self.body["RequestItems"].values()) > _MOST_WRITES:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        for table_name, requests in self.body["RequestItems"].items():
            names = original(self.dynamodb_backend, table_name).table_key_attrs
            keys = [_key_of(request, names) for request in requests]
            if any(key in keys[:index] for index, key in enumerate(keys)):
                raise MockValidationException("Provided list of item keys contains duplicates")
        return write(self)

    replace(DynamoHandler, "batch_write_item", batch_write_item)


def _key_of(request: dict[str, Any], names: list[str]) -> list[Any]:
    ((_, what),) = request.items()
    attributes = what.get("Item", what.get("Key", {}))
    return [attributes.get(name) for name in names]


def name_attribute_names_that_are_not_defined() -> None:
    """Moto breaks (KeyError) on an expression with a #name that ExpressionAttributeNames lacks."""
    original = original_of(UpdateExpressionValidator, "validate")

    def validate(self: Any) -> Any:
        try:
            return original(self)
        except KeyError as error:
            if not str(error.args[0]).startswith("#"):
                raise
            used = "An expression attribute name used in the document path is not defined"
            raise MockValidationException(
                f"Invalid UpdateExpression: {used}; attribute name: {error.args[0]}"
            ) from error

    replace(UpdateExpressionValidator, "validate", validate)


def do_a_transaction_once_for_its_token() -> None:
    """Moto does not look at ClientRequestToken: a retry whose answer was lost would be done twice."""
    original = DynamoHandler.transact_write_items
    done: dict[str, tuple[float, str, Any]] = {}  # token → when, what, the answer; oldest first

    def transact_write_items(self: Any) -> Any:
        token, items = (
            self.body.get("ClientRequestToken"),
            json.dumps(self.body["TransactItems"], default=str),
        )
        now = time.monotonic()
        while done and now - next(iter(done.values()))[0] > _TOKEN_SECONDS:
            del done[next(iter(done))]
        if token not in done:
            answer = original(self)
            if token:
                done[token] = now, items, answer
            return answer
        _, before, answer = done[token]
        if before != items:
            raise IdempotentParameterMismatchException
        return answer

    replace(DynamoHandler, "transact_write_items", transact_write_items)


class IdempotentParameterMismatchException(DynamodbException):
    """The token of a transaction comes again with another one."""

    error_type = ERROR_TYPE_PREFIX + "IdempotentParameterMismatchException"

    def __init__(self) -> None:
        message = "The request uses the same client token as a previous, but non-identical request."
        super().__init__(self.error_type, message)
