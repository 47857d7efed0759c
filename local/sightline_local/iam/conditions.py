"""The Condition block of a statement.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from sightline_local.iam.patterns import Context, arn_matches, expand, glob_matches

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
    "BinaryEquals": operator.eq,
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
_SETS = ("ForAnyValue:", "ForAllValues:")


def strings(value: Any) -> tuple[str, ...]:
    """One JSON value, or a list of them, as the strings that policies compare."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)


def check(condition: Mapping[str, Any]) -> None:
    """Raise UnsupportedPolicyError for an operator that nobody knows."""
    for name in condition:
        _split(name)


def holds(condition: Mapping[str, Any], context: Context) -> bool:
    """Every operator and every key must hold; the keys of `context` are lower case."""
    return all(
        _key_holds(name, strings(wanted), context.get(key.lower()), context)
        for name, block in condition.items()
        for key, wanted in block.items()
    )


def _split(name: str) -> tuple[str, str, bool]:
    """`ForAnyValue:StringLikeIfExists` → (set word, operator, whether IfExists)."""
    word = next((prefix for prefix in _SETS if name.startswith(prefix)), "")
    bare = name.removeprefix(word)
    operator_name = bare.removesuffix("IfExists")
    if operator_name == "Null" and not word and bare == "Null":
        return word, operator_name, False
    if operator_name not in _TESTS and operator_name not in _NEGATED:
        raise UnsupportedPolicyError(f"Condition operator {name} is not known to the local runtime")
    return word, operator_name, bare != operator_name


def _key_holds(
    name: str, wanted: tuple[str, ...], value: str | tuple[str, ...] | None, context: Context
) -> bool:
    word, operator_name, if_exists = _split(name)
    if operator_name == "Null":
        return (value is None) == (wanted[0].lower() == "true")
    if value is None and if_exists:
        return True
    values = () if value is None else strings(value)
    test = partial(_value_holds, operator_name, tuple(_expanded(wanted, context)))
    if word == "ForAllValues:":
        return all(map(test, values))
    if value is None:
        return operator_name in _NEGATED and not word
    return any(map(test, values))


def _expanded(wanted: tuple[str, ...], context: Context) -> Iterable[str]:
    for text in wanted:
        expanded = expand(text, context)
        if expanded is not None:
            yield expanded


def _value_holds(operator_name: str, wanted: tuple[str, ...], value: str) -> bool:
    positive = _NEGATED.get(operator_name)
    if positive is not None:
        return not any(_TESTS[positive](text, value) for text in wanted)
    return any(_TESTS[operator_name](text, value) for text in wanted)
