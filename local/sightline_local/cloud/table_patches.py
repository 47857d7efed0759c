"""What DynamoDB refuses and moto's tables take in, or break on; see patches.py for `undo`."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing.validators import UpdateExpressionValidator
from moto.dynamodb.responses import DynamoHandler

from sightline_local.cloud.patches import original_of, replace

_MOST_DIGITS = 38
_MOST_WRITES = 25
# The methods of moto that take in items.
_WRITES = ("batch_write_item", "put_item", "transact_write_items", "update_item")


def install() -> None:
    name_attribute_names_that_are_not_defined()
    check_batches_of_writes()
    refuse_numbers_that_are_too_exact()


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
