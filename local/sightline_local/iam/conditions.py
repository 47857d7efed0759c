"""The Condition block of a statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import base64
import binascii
import ipaddress
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sightline_local.iam.patterns import (
    Context,
    arn_matches,
    expand,
    expand_literally,
    glob_matches,
    names_in,
)

Test = Callable[[str, str], bool]  # (value in the policy, value of the request)


class UnsupportedPolicyError(Exception):
    """A policy says something that this evaluator does not know, so it must not guess."""


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str) -> datetime | None:
    try:
        if text.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _compared(parse: Callable[[str], Any], comparison: Callable[[Any, Any], bool]) -> Test:
    def test(wanted: str, value: str) -> bool:
        left, right = parse(value), parse(wanted)
        return left is not None and right is not None and comparison(left, right)

    return test


def _same_ignoring_case(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


def _in_network(wanted: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


_ORDERINGS = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_TESTS: dict[str, Test] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": _same_ignoring_case,
    "StringLike": glob_matches,
    "ArnEquals": arn_matches,  # AWS treats it as ArnLike
    "ArnLike": arn_matches,
    "Bool": _same_ignoring_case,
    "BinaryEquals": _compared(_bytes, operator.eq),
    "IpAddress": _in_network,
    "NumericEquals": _compared(_number, operator.eq),
    "DateEquals": _compared(_moment, operator.eq),
    **{f"Numeric{name}": _compared(_number, comparison) for name, comparison in _ORDERINGS.items()},
    **{f"Date{name}": _compared(_moment, comparison) for name, comparison in _ORDERINGS.items()},
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
_WITH_WILDCARDS = frozenset({"StringLike", "ArnEquals", "ArnLike"})
_SETS = ("ForAnyValue:", "ForAllValues:")


def strings(value: Any) -> tuple[str, ...]:
    """One JSON value, or a list of them, as the strings that policies compare."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key; every condition of a statement must hold."""

    set_word: str  # "ForAnyValue:", "ForAllValues:" or ""
    operator: str  # without its negation, e.g. StringEquals for StringNotEquals
    negated: bool
    if_exists: bool
    key: str  # lower case
    wanted: tuple[str, ...]

    def holds(self, context: Context) -> bool:
        value = context.get(self.key)
        if self.operator == "Null":
            return (value is None) == (self.wanted[0].lower() == "true")
        if value is None:
            if self.if_exists or self.set_word == "ForAllValues:":
                return True
            return self.negated and not self.set_word
        wanted = tuple(self._expanded(context))
        quantifier = all if self.set_word == "ForAllValues:" else any
        return quantifier(self._value_holds(wanted, each) for each in strings(value))

    def keys(self) -> Iterable[str]:
        """The keys of the context that the answer depends on."""
        yield self.key
        for text in self.wanted:
            yield from names_in(text)

    def _expanded(self, context: Context) -> Iterable[str]:
        put = expand if self.operator in _WITH_WILDCARDS else expand_literally
        return (text for text in (put(text, context) for text in self.wanted) if text is not None)

    def _value_holds(self, wanted: tuple[str, ...], value: str) -> bool:
        test = _TESTS[self.operator]
        return any(test(text, value) for text in wanted) != self.negated


def read_conditions(block: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Raise UnsupportedPolicyError for an operator that nobody knows."""
    return tuple(
        Condition(*_split(name), key.lower(), strings(wanted))
        for name, keys in block.items()
        for key, wanted in keys.items()
    )


def _split(name: str) -> tuple[str, str, bool, bool]:
    """`ForAnyValue:StringNotLikeIfExists` → (set word, operator, whether negated, whether IfExists)."""
    word = next((prefix for prefix in _SETS if name.startswith(prefix)), "")
    bare = name.removeprefix(word)
    operator_name = bare.removesuffix("IfExists")
    if name == "Null":
        return "", "Null", False, False
    positive = _NEGATED.get(operator_name, operator_name)
    if positive not in _TESTS:
        raise UnsupportedPolicyError(f"the condition operator {name} is not known")
    return word, positive, operator_name in _NEGATED, bare != operator_name
