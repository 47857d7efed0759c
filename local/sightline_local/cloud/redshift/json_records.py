"""JSON objects, one after the other with or without a line between them, as rows of texts.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST_ROW_BYTES = 4 * 1024 * 1024
_NEXT = re.compile(r"\n|\}(?=\s*\{)")  # where reading goes on behind an object that is none
_SPACE = re.compile(r"\s*")
_STEP = re.compile(r"\['([^']+)'\]|\[\"([^\"]+)\"\]|\.([A-Za-z_][\w]*)|\[(\d+)\]")

_plain = json.JSONDecoder()
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_verbatim = json.JSONDecoder(parse_float=str, parse_int=str)  # numbers as they were written


@dataclass(frozen=True, slots=True)
class Row:
    """The texts of the columns, or why the object is none (`problem`)."""

    line: int  # of the last line of the object
    values: Sequence[str | None] = ()
    problem: str = ""


class JsonPathError(ValueError):
    """A jsonpaths file, or one of its paths, cannot be used."""


Pick = Callable[[Any], list[Any]]


def by_names(columns: Sequence[str], *, ignore_case: bool) -> Pick:
    """JSON 'auto': the members of an object that have the names of the columns."""

    def pick(value: Any) -> list[Any]:
        members = {key.lower(): item for key, item in value.items()} if ignore_case else value
        return [members.get(name) for name in columns]

    return pick


def by_paths(text: str, count: int) -> Pick:
    """A jsonpaths file: one path for each column."""
    try:
        paths = [_steps(path) for path in json.loads(text)["jsonpaths"]]
    except (ValueError, KeyError, TypeError) as error:
        raise JsonPathError("Invalid JSONPath format: not a jsonpaths file") from error
    if len(paths) != count:
        raise JsonPathError(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(paths)},"
            f" Number of columns in table or column list: {count}"
        )
    return lambda value: [_follow(value, path) for path in paths]


def _steps(path: str) -> list[str | int]:
    steps = [
        int(number) if number else single or double or dotted
        for single, double, dotted, number in _STEP.findall(path[1:])
    ]
    rebuilt = "".join(match.group(0) for match in _STEP.finditer(path[1:]))
    if not path.startswith("$") or not steps or rebuilt != path[1:]:
        raise JsonPathError(f"Invalid JSONPath format: {path}")
    return steps


def _follow(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def rows_of(text: str, pick: Pick, super_columns: frozenset[int]) -> Iterator[Row]:
    """Every object of a file; `super_columns` are those whose value stays JSON."""
    at = _behind_space(text, 0)
    line = 1 + text.count("\n", 0, at)
    while at < len(text):
        start = at
        try:
            value, at = _verbatim.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = _NEXT.search(text, start)
            at = found.end() if found else len(text)
            yield Row(line, problem="Invalid value.")
        else:
            line += text.count("\n", start, at)
            yield _row(line, value, text[start:at], pick, super_columns)
            start = at
        at = _behind_space(text, at)
        line += text.count("\n", start, at)


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _row(line: int, value: Any, text: str, pick: Pick, super_columns: frozenset[int]) -> Row:
    if not isinstance(value, dict | list):
        return Row(line, problem="Invalid value.")
    if len(text) > _LONGEST_ROW_BYTES:
        return Row(line, problem=f"JSON object exceeds max size {_LONGEST_ROW_BYTES}")
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    found = pick(value)
    nested = super_columns.union(i for i, item in enumerate(found) if isinstance(item, dict | list))
    if nested:
        typed = pick(_plain.decode(text))
        for index in nested:
            item = typed[index]
            found[index] = None if item is None else _compact.encode(item)
    return Row(line, [_text(item) for item in found])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return "true" if value is True else "false" if value is False else str(value)
