"""What the model of an AWS service demands of its input: lengths, ranges, patterns, enumerations.

boto3 checks only a part of this before it sends; AWS checks all of it and answers in these words.
"""

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from sightline_local.cloud.service import ServiceError


def check_input(service: str, operation: str, params: dict[str, Any], *, error: str) -> None:
    """Raise ServiceError(`error`) when `params` break a constraint of the operation's input."""
    shape = _model(service).operation_model(operation).input_shape
    found = [] if shape is None else _violations(shape, params, "")
    if not found:
        return
    noun = "error" if len(found) == 1 else "errors"
    raise ServiceError(error, f"{len(found)} validation {noun} detected: {'; '.join(found)}")


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _violations(shape: Shape, value: Any, path: str) -> list[str]:
    expected = _PYTHON_TYPES.get(shape.type_name, object)
    if not isinstance(value, expected):
        return [f"Value at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}"]
    found = _own_violations(shape, value, path)
    for member, inner, inner_path in _parts(shape, value, path):
        found += _violations(member, inner, inner_path)
    return found


def _parts(shape: Shape, value: Any, path: str) -> list[tuple[Shape, Any, str]]:
    if isinstance(shape, StructureShape):
        members = shape.members
        return [(members[name], value[name], _join(path, name)) for name in members if name in value]
    if isinstance(shape, ListShape):
        return [(shape.member, item, f"{path}.{n}.member") for n, item in enumerate(value, 1)]
    if isinstance(shape, MapShape):
        keys = [(shape.key, key, f"{path}.key") for key in value]
        return keys + [(shape.value, item, f"{path}.{key}.value") for key, item in value.items()]
    return []


def _join(path: str, name: str) -> str:
    camel = name if name.isupper() else name[0].lower() + name[1:]
    return f"{path}.{camel}" if path else camel


def _own_violations(shape: Shape, value: Any, path: str) -> list[str]:
    broken = [
        f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name in getattr(shape, "required_members", [])
        if name not in value
    ]
    rules = _size_rules(shape, value) + _text_rules(shape, value)
    said = "" if isinstance(value, bytes) else f" '{value}'"
    return broken + [f"Value{said} at '{path}' failed to satisfy constraint: {rule}" for rule in rules]


def _size_rules(shape: Shape, value: Any) -> list[str]:
    is_number = isinstance(value, int | float)
    if not is_number and not hasattr(value, "__len__"):
        return []
    size, what = (value, "value") if is_number else (len(value), "length")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    rules = []
    if low is not None and size < low:
        rules.append(f"Member must have {what} greater than or equal to {low}")
    if high is not None and size > high:
        rules.append(f"Member must have {what} less than or equal to {high}")
    return rules


# The models are written for Java, whose Unicode classes re does not know; these are a little more generous.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{M}": r"\w",
    r"\p{Z}": r"\s",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",  # two of Java's characters each
}


def _for_python(pattern: str) -> str:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return pattern


def _text_rules(shape: Shape, value: Any) -> list[str]:
    if not isinstance(value, str):
        return []
    pattern, allowed = shape.metadata.get("pattern"), getattr(shape, "enum", None)
    rules = []
    if pattern and not re.fullmatch(_for_python(pattern), value):
        rules.append(f"Member must satisfy regular expression pattern: {pattern}")
    if allowed and value not in allowed:
        rules.append(f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    return rules
