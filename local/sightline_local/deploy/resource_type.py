"""How a type of resource is described: what it accepts, how it is made, what it can be asked for.

Every accepted property is either CARRIED out or knowingly WITHOUT_EFFECT here. Any other is refused by name,
with its line, before anything is made: a property that is silently dropped would be a surprise on AWS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sightline_local.deploy.site import Site
from sightline_local.template.intrinsics import intrinsic_of
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


@dataclass(frozen=True, slots=True)
class Accepted:
    """A property that is accepted with everything in it."""

    has_effect: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """A property that is accepted with these values only, because the runtime behaves as they say."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A property that is a list; each item is checked."""

    item: "Schema"


@dataclass(frozen=True, slots=True)
class Checked:
    """A property that is carried out; `check(resource, value, place)` raises what is wrong with it."""

    check: Callable[[Resource, Any, "Place"], None]


CARRIED = Accepted(has_effect=True)
WITHOUT_EFFECT = Accepted(has_effect=False)
Place = tuple[str | int, ...]  # from the properties to a value in them
Schema = Accepted | OneOf | ListOf | Checked | Mapping[str, "Schema"]
Create = Callable[[Resource, Mapping[str, Any], Site], Made]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """`create(resource, resolved properties, site)` makes it.

    `attributes` are what GetAtt may ask for; None: whatever it has when it is made.
    """

    name: str
    accepts: Schema
    create: Create
    attributes: frozenset[str] | None = frozenset()
    required: frozenset[str] = field(default_factory=frozenset)


def check_properties(resource: Resource, kind: ResourceType) -> None:
    """Raise TemplateError for a property that is unknown, missing or of a value that is not carried out."""
    _check(resource, resource.properties, kind.accepts, ())
    for name in sorted(kind.required - resource.properties.keys()):
        raise resource.error(f"{kind.name} needs {name}")


def _check(resource: Resource, value: Any, schema: Schema, place: tuple[str | int, ...]) -> None:
    if isinstance(schema, Accepted) or intrinsic_of(value) is not None:
        return
    name = ".".join(str(part) for part in place if not isinstance(part, int))
    if isinstance(schema, Checked):
        schema.check(resource, value, place)
    elif isinstance(schema, OneOf):
        _check_value(resource, value, schema, name, place)
    elif isinstance(schema, ListOf):
        if not isinstance(value, list):
            raise resource.error(f"{name} must be a list", *place)
        for index, item in enumerate(value):
            _check(resource, item, schema.item, (*place, index))
    else:
        _check_members(resource, value, schema, name, place)


def _check_value(
    resource: Resource, value: Any, schema: OneOf, name: str, place: tuple[str | int, ...]
) -> None:
    if value not in schema.values and str(value).lower() not in [str(item).lower() for item in schema.values]:
        known = ", ".join(str(item) for item in schema.values)
        raise resource.error(f"the local runtime knows {name} {known} only, not {value}", *place)


def _check_members(
    resource: Resource, value: Any, schema: Mapping[str, Schema], name: str, place: tuple[str | int, ...]
) -> None:
    if not isinstance(value, dict):
        raise resource.error(f"{name} must be a mapping", *place)
    for key, item in value.items():
        if key not in schema:
            path = f"{name}.{key}" if name else key
            raise resource.error(
                f"the local runtime does not know the property {path} of {resource.type}", *place, key
            )
        _check(resource, item, schema[key], (*place, key))
