"""Reads a template (or a state machine's definition) and remembers the line of everything in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sightline_local.errors import TemplateError

Place = tuple[str | int, ...]  # the keys and indexes that lead to a value, e.g. ("Resources", "Api", "Type")

# libyaml reads ten times faster than Python; wheels of PyYAML have it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SHORT_FORMS = {"Ref": "Ref", "Condition": "Condition"}  # every other !Name stands for Fn::Name
_INTRINSIC_TAGS = frozenset(
    "And Base64 Condition Equals FindInMap GetAtt If Join Not Or Ref Select Split Sub".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its document with short intrinsics written out, and the line of each place."""

    file: Path
    document: dict[str, Any]
    lines: Mapping[Place, int]

    def line_of(self, *place: str | int) -> int:
        """The line of a place, or of the closest thing around it that was written down."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 1

    def error(self, problem: str, *place: str | int) -> TemplateError:
        """A TemplateError at a place; inside `Resources` it names the resource."""
        inside = len(place) > 1 and place[0] == "Resources"
        return TemplateError(
            problem,
            file=self.file,
            line=self.line_of(*place),
            logical_id=str(place[1]) if inside else None,
        )


def read_source(file: Path) -> Source:
    """Parse YAML or JSON; TemplateError for a missing file, bad syntax, a double key or an unknown !Tag."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror or error}", file=file) from error
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise TemplateError(f"is not valid YAML: {error.problem}", file=file, line=line) from error
    reader = _Reader(file)
    document = reader.value(root, ()) if root else None
    if not isinstance(document, dict):
        raise TemplateError("holds no mapping at the top", file=file)
    return Source(file, document, reader.lines)


class _Reader:
    """Builds values from YAML nodes, as CloudFormation reads them: no dates, no double keys, no YAML tags."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self._scalars = yaml.SafeLoader("")

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if node.tag.startswith("!"):
            return self._intrinsic(node, place)
        return self._plain(node, place)

    def _plain(self, node: yaml.Node, place: Place) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        if node.tag in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:str"):
            return node.value  # "2012-10-17" is a policy version, not a date
        return self._scalars.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                raise TemplateError(
                    f"the key {key} is there twice", file=self.file, line=key_node.start_mark.line + 1
                )
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, (*place, key))
        return result

    def _intrinsic(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        name = node.tag[1:]
        if name not in _INTRINSIC_TAGS:
            line = node.start_mark.line + 1
            raise TemplateError(f"the local runtime does not know !{name}", file=self.file, line=line)
        if isinstance(node, yaml.ScalarNode):
            argument: Any = node.value
        else:
            argument = self._plain(node, (*place, _SHORT_FORMS.get(name, f"Fn::{name}")))
        if name == "GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
        return {_SHORT_FORMS.get(name, f"Fn::{name}"): argument}
