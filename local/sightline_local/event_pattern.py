"""Event patterns: the rules by which SNS filter policies and event source mappings choose.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


class InvalidPattern(ValueError):  # noqa: N818  as AWS says it
    """The pattern is none; the text says where."""


def exactly(wanted: Any, value: Any) -> bool:
    """Equality of values that were parsed from JSON; 300 and 300.0 are not the same."""
    return type(wanted) is type(value) and bool(wanted == value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A pattern as parsed JSON. `same` compares plain values: services differ in what equal numbers are."""

    content: Mapping[str, Any]
    same: Callable[[Any, Any], bool] = exactly

    def matches(self, event: Any) -> bool:
        try:
            return self._object(self.content, event)
        except RecursionError:  # lists in lists in lists: no pattern means these
            return False

    def _object(self, pattern: Mapping[str, Any], content: Any) -> bool:
        if isinstance(content, list):
            return any(self._object(pattern, item) for item in content)
        members = content if isinstance(content, dict) else {}
        return all(self._member(key, wanted, members) for key, wanted in pattern.items())

    def _member(self, key: str, wanted: Any, members: Mapping[str, Any]) -> bool:
        if key == "$or" and isinstance(wanted, list):
            return any(self._object(alternative, members) for alternative in wanted)
        if isinstance(wanted, dict):
            return self._object(wanted, members.get(key, {}))
        return self._one_of(wanted, members.get(key, _MISSING))

    def _one_of(self, rules: Sequence[Any], value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        return any(self._holds(rule, values) for rule in rules)

    def _holds(self, rule: Any, values: list[Any]) -> bool:
        if not isinstance(rule, dict):
            return any(self.same(rule, value) for value in values)
        (operator, operand), *_ = rule.items()
        if operator == "exists":  # about leaves only
            return bool(operand) == (values != [_MISSING] and not all(isinstance(v, dict) for v in values))
        if operator == "anything-but":
            excluded = operand if isinstance(operand, list) else [operand]
            return values != [_MISSING] and not any(self._holds(each, values) for each in excluded)
        return any(_OPERATORS[operator](operand, value) for value in values)


def _numeric(bounds: Sequence[Any], value: Any) -> bool:
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return is_number(value) and all(_ORDERINGS[ordering](value, bound) for ordering, bound in pairs)


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
_TEXT_OPERATORS = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def check_pattern(content: Any, *, operators: frozenset[str]) -> None:
    """Raise InvalidPattern unless it is a pattern of these operators only."""
    if not isinstance(content, dict):
        raise InvalidPattern("a pattern is a JSON object")
    for path, problem in _problems(content, operators, ""):
        raise InvalidPattern(f"{path or 'the pattern'} {problem}")


def _problems(content: Mapping[str, Any], operators: frozenset[str], path: str) -> Iterator[tuple[str, str]]:
    for key, wanted in content.items():
        place = f"{path}.{key}" if path else key
        if key == "$or" and isinstance(wanted, list) and all(isinstance(each, dict) for each in wanted):
            if "$or" not in operators or len(wanted) < 2:
                yield place, "needs two alternatives at least"
            for alternative in wanted:
                yield from _problems(alternative, operators, place)
        elif isinstance(wanted, dict):
            yield from _problems(wanted, operators, place)
        elif not isinstance(wanted, list) or not wanted:
            yield place, "must be an object, or a list of rules that is not empty"
        else:
            yield from ((place, text) for rule in wanted if (text := _fault_of(rule, operators)))


def _fault_of(rule: Any, operators: frozenset[str]) -> str | None:
    if isinstance(rule, list):
        return "has a list for a rule"
    if not isinstance(rule, dict):
        return None
    if len(rule) != 1:
        return "has a rule that does not name one operator"
    [(operator, operand)] = rule.items()
    if operator not in operators:
        return f"uses {operator}, which is not known here"
    return None if _is_operand(operator, operand, operators) else f"has no operand that {operator} takes"


def _is_operand(operator: str, operand: Any, operators: frozenset[str]) -> bool:
    if operator == "exists":
        return isinstance(operand, bool)
    if operator == "numeric":
        return _are_bounds(operand)
    if operator in _TEXT_OPERATORS:
        return isinstance(operand, str)
    if isinstance(operand, dict):  # below anything-but
        [(inner, value), *more] = operand.items() or [("", None)]
        texts = value if isinstance(value, list) else [value]
        known = inner in operators and inner in _TEXT_OPERATORS
        return not more and known and bool(texts) and all(isinstance(text, str) for text in texts)
    plain = operand if isinstance(operand, list) else [operand]
    return bool(plain) and all(isinstance(each, str) or is_number(each) for each in plain)


def _are_bounds(bounds: Any) -> bool:
    if not isinstance(bounds, list) or len(bounds) not in (2, 4):
        return False
    named = all(isinstance(each, str) and each in _ORDERINGS for each in bounds[::2])
    return named and all(is_number(each) for each in bounds[1::2])
