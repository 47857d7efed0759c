"""The template's parameters: what was given, what is the default, and whether it may be."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline_local.errors import TemplateError
from sightline_local.template.source import Source

_LISTS = {"CommaDelimitedList": "String", "List<String>": "String", "List<Number>": "Number"}
_TYPES = frozenset({"String", "Number", *_LISTS})
_WITHOUT_EFFECT = frozenset({"Type", "Default", "Description", "NoEcho", "ConstraintDescription"})
_CONSTRAINTS = {
    "String": frozenset({"AllowedPattern", "AllowedValues", "MaxLength", "MinLength"}),
    "Number": frozenset({"AllowedValues", "MaxValue", "MinValue"}),
    **dict.fromkeys(_LISTS, frozenset({"AllowedPattern", "AllowedValues"})),
}
_LONGEST = 4096  # bytes of a value


def read_parameters(source: Source, given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Values of all parameters; TemplateError for one that is missing, unknown or not allowed."""
    declared: dict[str, dict[str, Any]] = source.document.get("Parameters", {})
    for name in given:
        if name not in declared:
            raise TemplateError(f"has no parameter {name}", file=source.file)
    return {name: _value(source, name, declaration, given) for name, declaration in declared.items()}


def _value(
    source: Source, name: str, declaration: dict[str, Any], given: Mapping[str, str]
) -> str | list[str]:
    place = ("Parameters", name)
    kind = declaration.get("Type")
    if kind not in _TYPES:
        raise source.error(
            f"parameter {name}: the local runtime does not know the type {kind}", *place, "Type"
        )
    for key in declaration:
        if key not in _WITHOUT_EFFECT | _CONSTRAINTS[kind]:
            raise source.error(f"parameter {name}: the local runtime knows no {key} of a {kind}", *place, key)
    if name not in given and "Default" not in declaration:
        raise source.error(f"parameter {name} has no default and was not given", *place)
    text = _as_written(given.get(name, declaration.get("Default")))
    problem = _broken_constraint(declaration, text)
    if problem:
        because = declaration.get("ConstraintDescription")
        explained = f"{problem} ({because})" if because else problem
        raise source.error(f"parameter {name} = {text!r}: {explained}", *place)
    return _items(text) if kind in _LISTS else text


def _as_written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _broken_constraint(declaration: dict[str, Any], text: str) -> str | None:
    kind = declaration["Type"]
    if len(text.encode()) > _LONGEST:
        return f"a value has {_LONGEST} bytes at most"
    items, of = (_items(text), _LISTS[kind]) if kind in _LISTS else ([text], kind)
    return next((problem for item in items if (problem := _broken_by_item(declaration, item, of))), None)


def _broken_by_item(declaration: dict[str, Any], item: str, kind: str) -> str | None:
    allowed = [_as_written(value) for value in declaration.get("AllowedValues", [item])]
    pattern = declaration.get("AllowedPattern")
    if kind == "Number" and not _is_number(item):
        return "is not a number"
    if item not in allowed:
        return f"allowed are {', '.join(allowed)}"
    if pattern and not re.fullmatch(pattern, item):
        return f"does not match {pattern}"
    size, suffix = (float(item), "Value") if kind == "Number" else (len(item), "Length")
    if size < float(declaration.get(f"Min{suffix}", size)):
        return f"the least is {declaration[f'Min{suffix}']}"
    if size > float(declaration.get(f"Max{suffix}", size)):
        return f"the most is {declaration[f'Max{suffix}']}"
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is not None


def read_samconfig(template: Path) -> dict[str, str]:
    """`parameter_overrides` of `sam deploy` in the samconfig.toml beside the template, or {}."""
    file = template.parent / "samconfig.toml"
    if not file.is_file():
        return {}
    try:
        config = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"is not valid TOML: {error}", file=file) from error
    overrides = (
        config.get("default", {}).get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    )
    words = shlex.split(overrides) if isinstance(overrides, str) else [str(word) for word in overrides]
    return dict(_pair(file, word) for word in words)


def _pair(file: Path, word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise TemplateError(f"parameter_overrides: expected Name=value, got {word!r}", file=file)
    return name, value
