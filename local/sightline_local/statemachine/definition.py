"""Reads the definition of a state machine as `sam deploy` does: YAML or JSON, with substitutions."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline_local.errors import TemplateError
from sightline_local.statemachine.definition_check import problems
from sightline_local.template.source import Place, Source, read_source

_PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")


def read_definition(file: Path, substitutions: Mapping[str, Any]) -> str:
    """The definition as JSON; TemplateError, with the line, for a ${Name} that has no substitution."""
    source = read_source(file)
    return json.dumps(_substitute(source, source.document, substitutions, ()))


def check_definition(file: Path, substitutions: Mapping[str, Any]) -> None:
    """Raise TemplateError, with its line, for the first thing that is wrong or unknown."""
    source = read_source(file)
    for place, problem in problems(_substitute(source, source.document, substitutions, ())):
        raise source.error(problem, *place)


def _substitute(source: Source, value: Any, substitutions: Mapping[str, Any], place: Place) -> Any:
    if isinstance(value, dict):
        return {k: _substitute(source, item, substitutions, (*place, k)) for k, item in value.items()}
    if isinstance(value, list):
        return [_substitute(source, item, substitutions, (*place, i)) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[1] not in substitutions:
            line = source.line_of(*place)
            raise TemplateError(f"${{{match[1]}}} has no substitution", file=source.file, line=line)
        return str(substitutions[match[1]])

    return _PLACEHOLDER.sub(replace, value)
