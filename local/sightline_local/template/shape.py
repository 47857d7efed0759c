"""What a template must look like, whatever its parameters are: sections, names, functions, references."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sightline_local.template.intrinsics import FUNCTIONS, IntrinsicError, references
from sightline_local.template.source import Place, Source

_SECTIONS = frozenset(
    {
        *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Mappings", "Metadata"),
        *("Outputs", "Parameters", "Resources", "Transform"),
    }
)
_MAPPINGS = ("Conditions", "Globals", "Mappings", "Outputs", "Parameters", "Resources")
_WITH_NAMES = ("Conditions", "Mappings", "Outputs", "Parameters", "Resources")
_WITH_FUNCTIONS = ("Conditions", "Outputs", "Resources")
_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_FORMAT = "2010-09-09"


def check_shape(source: Source) -> None:
    """Raise TemplateError, with the line, for what no parameter could make right."""
    _check_sections(source)
    _check_names(source)
    for section in _WITH_FUNCTIONS:
        for place, call in _mappings(source.document.get(section, {}), (section,)):
            _check_call(source, place, call)
    for name, resource in source.document.get("Resources", {}).items():
        _check_resource(source, name, resource)


def check_references(source: Source, known: Collection[str]) -> None:
    """Raise TemplateError for a reference to what is not there, also where a condition leaves it out."""
    conditions = source.document.get("Conditions", {})
    for section in ("Outputs", "Resources"):
        for place, call in _mappings(source.document.get(section, {}), (section,)):
            name = next(iter(call), "")
            if name == "Fn::If" and str(call[name][0]) not in conditions:
                raise source.error(f"there is no condition {call[name][0]}", *place)
            if name in ("Ref", "Fn::GetAtt", "Fn::Sub"):
                _check_reference(source, place, call, known)


def _check_reference(source: Source, place: Place, call: Mapping[str, Any], known: Collection[str]) -> None:
    try:
        named = [name for name, _attribute in references(call)]
    except IntrinsicError as error:
        raise source.error(str(error), *place) from error
    for name in named:
        # SAM's Ref takes `Function.Version` too
        if name not in known and str(name).partition(".")[0] not in known:
            subject = f"output {place[1]}: " if place[0] == "Outputs" else ""
            raise source.error(f"{subject}nothing in the template is named {name}", *place)


def _check_sections(source: Source) -> None:
    document = source.document
    for section in document:
        if section not in _SECTIONS:
            raise source.error(f"the local runtime does not know the section {section}", section)
    if str(document.get("AWSTemplateFormatVersion", _FORMAT)) != _FORMAT:
        raise source.error(f"AWSTemplateFormatVersion is {_FORMAT}", "AWSTemplateFormatVersion")
    if "Globals" in document and "Transform" not in document:
        raise source.error("Globals needs Transform: AWS::Serverless-2016-10-31", "Globals")
    for section in _MAPPINGS:
        _check_mapping(source, document.get(section, {}), section)


def _check_names(source: Source) -> None:
    for section in _WITH_NAMES:
        for name, entry in source.document.get(section, {}).items():
            if name.startswith("Fn::"):
                raise source.error(_unknown(name), section, name)
            if not _NAME.fullmatch(name):
                raise source.error(f"{name}: a name has letters and digits only", section, name)
            _check_mapping(source, entry, section, name)


def _check_resource(source: Source, name: str, resource: Mapping[str, Any]) -> None:
    place = ("Resources", name)
    _check_mapping(source, resource.get("Properties", {}), *place, "Properties")
    if not isinstance(resource.get("Type"), str):
        raise source.error("needs a Type", *place)
    needed = resource.get("DependsOn", [])
    if not all(isinstance(one, str) for one in ([needed] if isinstance(needed, str | dict) else needed)):
        raise source.error("DependsOn is a name or a list of names", *place, "DependsOn")


def _check_mapping(source: Source, value: Any, *place: str) -> None:
    if not isinstance(value, dict):
        raise source.error(f"{place[-1]} must be a mapping", *place)


def _mappings(value: Any, place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Every mapping inside a value, each before those inside it."""
    if isinstance(value, dict):
        yield place, value
        for key, item in value.items():
            yield from _mappings(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mappings(item, (*place, index))


def _check_call(source: Source, place: Place, mapping: Mapping[str, Any]) -> None:
    for key in mapping:
        if str(key).startswith("Fn::"):
            if key not in FUNCTIONS:
                raise source.error(_unknown(key), *place, key)
            if len(mapping) > 1:
                raise source.error(f"{key} stands alone in its mapping", *place, key)


def _unknown(function: str) -> str:
    return f"the local runtime does not know {'::'.join(function.split('::')[:2])}"
