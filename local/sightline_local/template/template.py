"""A whole template, ready to deploy: its resources in the order in which they can be made, its outputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from sightline_local.errors import TemplateError
from sightline_local.template.intrinsics import IntrinsicError, as_text, intrinsic_of, resolve
from sightline_local.template.parameters import read_parameters
from sightline_local.template.sam import expand
from sightline_local.template.scope import StackIdentity, TemplateScope
from sightline_local.template.shape import check_references, check_shape
from sightline_local.template.source import Source, read_source

# DeletionPolicy and UpdateReplacePolicy are without effect: a local stack is never updated.
_ATTRIBUTES = frozenset(
    ("Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy")
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource after expansion. In `properties` only references to other resources are still open."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: frozenset[str]
    source: Source
    origin: str  # the logical id of the written resource that this one stems from

    def error(self, problem: str, *place: str | int, at: int | None = None) -> TemplateError:
        """A TemplateError at a place inside the properties (or at a line)."""
        line = at or self.source.line_of("Resources", self.origin, *(["Properties", *place] if place else []))
        return TemplateError(problem, file=self.source.file, line=line, logical_id=self.logical_id)


@dataclass(frozen=True, slots=True)
class Output:
    name: str
    value: Any
    description: str | None


@dataclass(frozen=True, slots=True)
class Template:
    source: Source
    identity: StackIdentity
    parameters: Mapping[str, str | list[str]]
    description: str | None
    resources: tuple[Resource, ...]  # each after everything that it refers to
    outputs: tuple[Output, ...]
    scope: TemplateScope


def load_template(file: Path, identity: StackIdentity, given: Mapping[str, str]) -> Template:
    """Read, expand and order a template; TemplateError, with the line, for anything that cannot be."""
    source = read_source(file)
    check_shape(source)
    parameters = read_parameters(source, given)
    document = expand(source, parameters, identity.region)
    scope = TemplateScope(
        values={**identity.pseudo_parameters(), **parameters},
        conditions=document.get("Conditions", {}),
        mappings=document.get("Mappings", {}),
        logical_ids=frozenset(document.get("Resources", {})),
    )
    check_references(source, {*scope.values, *scope.logical_ids, *source.document.get("Resources", {})})
    _check_conditions(source, scope)
    resources = {resource.logical_id: resource for resource in _read_resources(source, document, scope)}
    scope.logical_ids = frozenset(resources)
    outputs = tuple(_read_outputs(source, document, scope))
    ordered = tuple(_in_order(source, resources, scope))
    description = document.get("Description")
    return Template(source, identity, parameters, description, ordered, outputs, scope)


def _check_conditions(source: Source, scope: TemplateScope) -> None:
    for name in scope.conditions:
        try:
            scope.condition(name)
        except IntrinsicError as error:
            raise source.error(f"condition {name}: {error}", "Conditions", name) from error


def _read_resources(source: Source, document: dict[str, Any], scope: TemplateScope) -> Iterator[Resource]:
    written = source.document.get("Resources", {})
    for logical_id, declaration in document.get("Resources", {}).items():
        origin = _origin(logical_id, written)
        place = ("Resources", origin)
        for attribute in declaration:
            if attribute not in _ATTRIBUTES:
                raise source.error(f"the local runtime does not know {attribute}", *place, attribute)
        if not _is_wanted(source, declaration, scope, place):
            continue
        try:
            properties = resolve(declaration.get("Properties", {}), scope)
        except IntrinsicError as error:
            raise source.error(str(error), *place, "Properties", *error.place) from error
        depends_on = declaration.get("DependsOn", [])
        depends_on = frozenset([depends_on] if isinstance(depends_on, str) else depends_on)
        yield Resource(logical_id, str(declaration.get("Type")), properties, depends_on, source, origin)


def _is_wanted(
    source: Source, declaration: Mapping[str, Any], scope: TemplateScope, place: tuple[str, ...]
) -> bool:
    if "Condition" not in declaration:
        return True
    try:
        return scope.condition(declaration["Condition"])
    except IntrinsicError as error:
        raise source.error(str(error), *place, "Condition") from error


def _origin(logical_id: str, written: Mapping[str, Any]) -> str:
    """`DevicesApiRole` stems from `DevicesApi`: the expansion adds to the names of what it expands."""
    candidates = [name for name in written if logical_id.startswith(name)]
    return max(candidates, key=len, default=logical_id)


def _read_outputs(source: Source, document: dict[str, Any], scope: TemplateScope) -> Iterator[Output]:
    for name, declaration in document.get("Outputs", {}).items():
        unknown = set(declaration) - {"Value", "Description", "Condition", "Export"}
        if unknown or "Value" not in declaration:
            problem = f"does not know {min(unknown)}" if unknown else "needs a Value"
            raise source.error(f"output {name}: the local runtime {problem}", "Outputs", name)
        if not _is_wanted(source, declaration, scope, ("Outputs", name)):
            continue
        try:
            value = _output_value(declaration["Value"], scope)
        except IntrinsicError as error:
            raise source.error(f"output {name}: {error}", "Outputs", name, "Value") from error
        yield Output(name, value, declaration.get("Description"))


def _output_value(written: Any, scope: TemplateScope) -> Any:
    value = resolve(written, scope)
    unmade = scope.resources_in(value).keys() - scope.logical_ids
    if unmade:
        raise IntrinsicError(f"refers to {min(unmade)}, which is not made")
    return as_text("it", value) if intrinsic_of(value) is None else value


def _in_order(source: Source, resources: Mapping[str, Resource], scope: TemplateScope) -> Iterator[Resource]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for resource in resources.values():
        needed = resource.depends_on | scope.resources_in(resource.properties).keys()
        for logical_id in sorted(needed - resources.keys()):
            raise resource.error(f"refers to {logical_id}, which is not made")
        sorter.add(resource.logical_id, *sorted(needed))
    try:
        for logical_id in sorter.static_order():
            yield resources[logical_id]
    except CycleError as error:
        circle = error.args[1]
        raise source.error(f"resources wait for each other: {' -> '.join(circle)}", "Resources") from error
