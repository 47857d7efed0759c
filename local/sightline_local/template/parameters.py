"""The template's parameters: what was given, what is the default, and whether it may be."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline_local.errors import TemplateError
from sightline_local.template.source import Source

_TYPES = frozenset({"String", "Number", "CommaDelimitedList"})
_WITHOUT_EFFECT = frozenset({"Type", "Default", "Description", "NoEcho", "ConstraintDescription"})
_CONSTRAINTS = frozenset(
    {"AllowedValues", "AllowedPattern", "MinValue", "MaxValue", "MinLength", "MaxLength"}
)


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
    unknown = set(declaration) - _WITHOUT_EFFECT - _CONSTRAINTS
    if unknown:
        raise source.error(f"parameter {name}: the local runtime does not know {min(unknown)}", *place)
    if declaration.get("Type") not in _TYPES:
        raise source.error(
            f"parameter {name}: the local runtime does not know the type {declaration.get('Type')}", *place
        )
    if name not in given and "Default" not in declaration:
        raise source.error(f"parameter {name} has no default and was not given", *place)
    text = str(given.get(name, declaration.get("Default")))
    if declaration["Type"] == "CommaDelimitedList":
        return [item.strip() for item in text.split(",")]
    problem = _broken_constraint(declaration, text)
    if problem:
        raise source.error(f"parameter {name} = {text!r}: {problem}", *place)
    return text


def _broken_constraint(declaration: dict[str, Any], text: str) -> str | None:
    allowed = [str(value) for value in declaration.get("AllowedValues", [text])]
    pattern = declaration.get("AllowedPattern")
    if text not in allowed:
        return f"allowed are {', '.join(allowed)}"
    if pattern and not re.fullmatch(pattern, text):
        return f"does not match {pattern}"
    if declaration["Type"] == "Number" and not _is_number(text):
        return "is not a number"
    size, suffix = (float(text), "Value") if declaration["Type"] == "Number" else (len(text), "Length")
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
