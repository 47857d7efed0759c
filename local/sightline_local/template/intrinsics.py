"""CloudFormation's intrinsic functions, as far as they need no account."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

NO_VALUE = object()  # what {Ref: AWS::NoValue} is until the key or item around it is left out

_VARIABLE = re.compile(r"\$\{(!?)([^{}]+)\}")


class UnresolvedReference(Exception):  # noqa: N818  a reason to wait, no failure
    """A reference to a resource that does not exist yet."""


class IntrinsicError(Exception):
    """An intrinsic is used wrongly; the message says how, `place` where inside the resolved value."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.place: tuple[str | int, ...] = ()


class Scope(Protocol):
    """Where references are looked up: IntrinsicError for unknown names, UnresolvedReference for later."""

    def ref(self, name: str) -> Any: ...

    def attribute(self, logical_id: str, attribute: str) -> Any: ...

    def condition(self, name: str) -> bool: ...

    def mapping(self, name: str, first: str, second: str) -> Any: ...


def intrinsic_of(value: Any) -> str | None:
    """The name of the intrinsic that this value is a call of, if it is one."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name == "Ref" or str(name).startswith("Fn::"):
            return str(name)
    return None


def resolve(value: Any, scope: Scope) -> Any:
    """The value with intrinsics replaced; a call that waits for a resource is left as it is."""
    name = intrinsic_of(value)
    if name is not None:
        try:
            return _call(name, value[name], scope)
        except UnresolvedReference:
            return value
    if isinstance(value, dict):
        items = ((key, _resolve_inside(item, scope, key)) for key, item in value.items())
        return {key: item for key, item in items if item is not NO_VALUE}
    if isinstance(value, list):
        resolved = (_resolve_inside(item, scope, index) for index, item in enumerate(value))
        return [item for item in resolved if item is not NO_VALUE]
    return value


def _resolve_inside(value: Any, scope: Scope, key: str | int) -> Any:
    try:
        return resolve(value, scope)
    except IntrinsicError as error:
        error.place = (key, *error.place)
        raise


def holds(condition: Any, scope: Scope) -> bool:
    """Whether a condition (an entry of `Conditions`, or its name) holds."""
    if isinstance(condition, str):
        return scope.condition(condition)
    if isinstance(condition, dict) and set(condition) == {"Condition"}:
        return scope.condition(condition["Condition"])
    result = resolve(condition, scope)
    if not isinstance(result, bool):
        raise IntrinsicError("a condition must be Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition")
    return result


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """Every (logical id, attribute or None) that a value refers to."""
    name = intrinsic_of(value)
    if name == "Ref":
        yield value["Ref"], None
    elif name == "Fn::GetAtt":
        yield tuple(_attribute_path(value[name]))  # type: ignore[misc]
    elif name == "Fn::Sub":
        yield from _references_of_sub(value[name])
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def _references_of_sub(argument: Any) -> Iterator[tuple[str, str | None]]:
    text, own = _sub_parts(argument)
    yield from references(list(own.values()))
    for literal, variable in _VARIABLE.findall(text):
        if not literal and variable not in own:
            logical_id, _, attribute = variable.strip().partition(".")
            yield logical_id, attribute or None


def _call(name: str, argument: Any, scope: Scope) -> Any:
    if name == "Ref":
        return scope.ref(_text(name, argument))
    function = FUNCTIONS.get(name)
    if function is None:
        raise IntrinsicError(f"the local runtime does not know {name}")
    return function(argument, scope)


def _whole(value: Any, scope: Scope) -> Any:
    """Resolve an argument that must not wait in part: the call around it waits as a whole."""
    result = resolve(value, scope)
    if any(True for _ in references(result)):
        raise UnresolvedReference
    return result


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise IntrinsicError(f"{name} needs a name")
    return value


def as_text(name: str, value: Any) -> str:
    """Numbers, true and false are texts to CloudFormation; lists and mappings are not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise IntrinsicError(f"{name} needs a text, not a {'list' if isinstance(value, list) else 'mapping'}")
    return str(value)


def _arguments(name: str, argument: Any, least: int, most: int) -> list[Any]:
    if not isinstance(argument, list) or not least <= len(argument) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise IntrinsicError(f"{name} needs a list of {wanted} arguments")
    return argument


def _attribute_path(argument: Any) -> tuple[str, str]:
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    logical_id, attribute = _arguments("Fn::GetAtt", argument, 2, 2)
    return _text("Fn::GetAtt", logical_id), _text("Fn::GetAtt", attribute)


def _get_att(argument: Any, scope: Scope) -> Any:
    return scope.attribute(*_attribute_path(argument))


def _sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    text, own = _arguments("Fn::Sub", argument, 2, 2)
    if not isinstance(own, dict):
        raise IntrinsicError("Fn::Sub needs a text, or a list of a text and a mapping")
    return _text("Fn::Sub", text), own


def _sub(argument: Any, scope: Scope) -> str:
    text, own = _sub_parts(argument)

    def replace(match: re.Match[str]) -> str:
        literal, variable = match.groups()
        if literal:
            return "${" + variable + "}"  # ${!Name} is written for a literal ${Name}
        variable = variable.strip()
        if variable in own:
            return as_text(f"Fn::Sub: {variable}", _whole(own[variable], scope))
        logical_id, _, attribute = variable.partition(".")
        value = scope.attribute(logical_id, attribute) if attribute else scope.ref(logical_id)
        return as_text(f"Fn::Sub: {variable}", value)

    return _VARIABLE.sub(replace, text)


def _join(argument: Any, scope: Scope) -> str:
    delimiter, items = _arguments("Fn::Join", argument, 2, 2)
    texts = (as_text("Fn::Join", item) for item in _list("Fn::Join", _whole(items, scope)))
    return _text("Fn::Join", delimiter).join(texts)


def _select(argument: Any, scope: Scope) -> Any:
    index, items = _arguments("Fn::Select", _whole(argument, scope), 2, 2)
    items = _list("Fn::Select", items)
    if not str(index).isdigit() or int(index) >= len(items):
        raise IntrinsicError(f"Fn::Select: there is no item {index} among {len(items)}")
    return items[int(index)]


def _split(argument: Any, scope: Scope) -> list[str]:
    delimiter, text = _arguments("Fn::Split", _whole(argument, scope), 2, 2)
    return _text("Fn::Split", text).split(_text("Fn::Split", delimiter))


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicError(f"{name} needs a list")
    return value


def _if(argument: Any, scope: Scope) -> Any:
    name, when_true, when_false = _arguments("Fn::If", argument, 3, 3)
    return resolve(when_true if scope.condition(_text("Fn::If", name)) else when_false, scope)


def _equals(argument: Any, scope: Scope) -> bool:
    left, right = _arguments("Fn::Equals", _whole(argument, scope), 2, 2)
    return as_text("Fn::Equals", left) == as_text("Fn::Equals", right)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, first, second = _arguments("Fn::FindInMap", _whole(argument, scope), 3, 3)
    return scope.mapping(str(name), str(first), str(second))


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Fn::And": lambda argument, scope: all(
        holds(item, scope) for item in _arguments("Fn::And", argument, 2, 10)
    ),
    "Fn::Base64": lambda argument, scope: base64.b64encode(
        as_text("Fn::Base64", _whole(argument, scope)).encode()
    ).decode(),
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Not": lambda argument, scope: not holds(_arguments("Fn::Not", argument, 1, 1)[0], scope),
    "Fn::Or": lambda argument, scope: any(
        holds(item, scope) for item in _arguments("Fn::Or", argument, 2, 10)
    ),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
