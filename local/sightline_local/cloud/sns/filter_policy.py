"""Filter policies of subscriptions: does this message concern the subscriber?

https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sightline_local.iam.patterns import glob_matches

_MISSING = object()
_ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def attributes_match(policy: Mapping[str, Any], attributes: Mapping[str, Mapping[str, str]]) -> bool:
    """Scope MessageAttributes; attributes as {"Type", "Value"}. Binary ones never match."""
    return _matches(policy, {name: _value_of(each) for name, each in attributes.items()})


def body_matches(policy: Mapping[str, Any], text: str) -> bool:
    """Scope MessageBody; a text that is no JSON object matches nothing."""
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and _matches(policy, body)


def _value_of(attribute: Mapping[str, str]) -> Any:
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Number"):
        return float(value)
    if kind == "String.Array":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value if kind.startswith("String") else None


def _matches(policy: Mapping[str, Any], content: Any) -> bool:
    if isinstance(content, list):
        return any(_matches(policy, item) for item in content)
    members = content if isinstance(content, dict) else {}
    return all(_key_matches(key, wanted, members) for key, wanted in policy.items())


def _key_matches(key: str, wanted: Any, members: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(_matches(alternative, members) for alternative in wanted)
    if isinstance(wanted, dict):
        return _matches(wanted, members.get(key, {}))
    return _one_of(wanted, members.get(key, _MISSING))


def _one_of(rules: Sequence[Any], value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(_holds(rule, values) for rule in rules)


def _holds(rule: Any, values: list[Any]) -> bool:
    if not isinstance(rule, dict):
        return any(_same(rule, value) for value in values)
    (operator, operand), *_ = rule.items()
    if operator == "exists":
        return bool(operand) == (values != [_MISSING])
    if operator == "anything-but":
        excluded = operand if isinstance(operand, list) else [operand]
        return values != [_MISSING] and not any(_holds(each, values) for each in excluded)
    return any(_OPERATORS[operator](operand, value) for value in values)


def _same(wanted: Any, value: Any) -> bool:
    if _is_number(wanted) and _is_number(value):
        return bool(abs(wanted - value) < 1e-6)  # five decimals count
    return type(wanted) is type(value) and bool(wanted == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(bounds: Sequence[Any], value: Any) -> bool:
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return _is_number(value) and all(_ORDERINGS[ordering](value, bound) for ordering, bound in pairs)


def _on_text(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """The operand may be a list below anything-but; a value that is no text never matches."""

    def holds(operand: Any, value: Any) -> bool:
        operands = operand if isinstance(operand, list) else [operand]
        return isinstance(value, str) and any(test(each, value) for each in operands)

    return holds


def _wildcard(pattern: str, value: str) -> bool:
    return glob_matches(pattern.replace("?", "\0"), value.replace("?", "\0"))  # here only * is special


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _on_text(lambda operand, value: value.startswith(operand)),
    "suffix": _on_text(lambda operand, value: value.endswith(operand)),
    "equals-ignore-case": _on_text(lambda operand, value: value.lower() == operand.lower()),
    "wildcard": _on_text(_wildcard),
    "numeric": _numeric,
}
