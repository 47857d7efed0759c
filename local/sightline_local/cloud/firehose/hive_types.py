"""Types of Glue columns (Hive's), and JSON values as the OpenX SerDe reads them for such a column.

https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-concepts.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

Read = Callable[[Any], Any]
_WHOLE = {
    "tinyint": ("TINYINT", 8),
    "smallint": ("SMALLINT", 16),
    "int": ("INTEGER", 32),
    "bigint": ("BIGINT", 64),
}
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[ T](\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z?")
_SECONDS_END = 100_000_000_000  # what is larger is in milliseconds
_TOKEN = re.compile(r"\w+|[<>(),:]")


class UnknownType(Exception):  # noqa: N818  what happened
    """The local runtime has no such type of column."""


class DoesNotFit(Exception):  # noqa: N818  what happened
    """The value is none of the column's type."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`duckdb`: the type in DuckDB's words; `read` makes a value of parsed JSON, None for null."""

    duckdb: str
    read: Read


def parse_type(text: str) -> ColumnType:
    """`array<struct<id:string,score:double>>` and the like; UnknownType for anything else."""
    tokens = _TOKEN.findall(text)
    try:
        kind, rest = _parse(tokens)
    except (ValueError, IndexError) as error:
        raise UnknownType(f"the type {text}") from error
    if rest or "".join(tokens) != re.sub(r"\s", "", text):
        raise UnknownType(f"the type {text}")
    return ColumnType(kind.duckdb, _nullable(kind.read))


def _parse(tokens: list[str]) -> tuple[ColumnType, list[str]]:
    if not tokens:
        raise UnknownType("a type without a name")
    name, rest = tokens[0].lower(), tokens[1:]
    if name == "array":
        inner, rest = _parse(_after(rest, "<"))
        return ColumnType(f"{inner.duckdb}[]", _array(inner.read)), _after(rest, ">")
    if name == "map":
        key, rest = _parse(_after(rest, "<"))
        inner, rest = _parse(_after(rest, ","))
        return ColumnType(f"MAP({key.duckdb}, {inner.duckdb})", _map(inner.read)), _after(rest, ">")
    if name == "struct":
        return _parse_struct(_after(rest, "<"))
    if name in ("decimal", "varchar", "char") and rest[:1] == ["("]:
        end = rest.index(")")
        return _sized(name, [int(part) for part in rest[1:end] if part != ","]), rest[end + 1 :]
    if name not in _PLAIN:
        raise UnknownType(f"the type {name}")
    return _PLAIN[name], rest


def _parse_struct(tokens: list[str]) -> tuple[ColumnType, list[str]]:
    fields: dict[str, ColumnType] = {}
    while True:
        name, rest = tokens[0], _after(tokens[1:], ":")
        fields[name.lower()], rest = _parse(rest)
        if rest[:1] != [","]:
            break
        tokens = rest[1:]
    shape = ", ".join(f'"{name}" {kind.duckdb}' for name, kind in fields.items())
    return ColumnType(f"STRUCT({shape})", _struct(fields)), _after(rest, ">")


def _after(tokens: list[str], mark: str) -> list[str]:
    if tokens[:1] != [mark]:
        raise UnknownType(f"a type without its {mark}")
    return tokens[1:]


def _nullable(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _array(read: Read) -> Read:
    each = _nullable(read)

    def of(value: Any) -> Any:
        if not isinstance(value, list):
            raise DoesNotFit("not an array")
        return [each(item) for item in value]

    return of


def _map(read: Read) -> Read:
    each = _nullable(read)

    def of(value: Any) -> Any:
        if not isinstance(value, dict):
            raise DoesNotFit("not an object")
        return {_text(key): each(item) for key, item in value.items()}

    return of


def _struct(fields: dict[str, ColumnType]) -> Read:
    readers = {name: _nullable(kind.read) for name, kind in fields.items()}

    def of(value: Any) -> Any:
        if not isinstance(value, dict):
            raise DoesNotFit("not an object")
        lowered = {key.lower(): item for key, item in value.items()}
        return {name: read(lowered[name]) for name, read in readers.items() if name in lowered}

    return of


def _sized(name: str, sizes: list[int]) -> ColumnType:
    if name != "decimal":
        return ColumnType("VARCHAR", lambda value: _text(value)[: sizes[0]])
    digits, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0

    def read(value: Any) -> str:
        try:
            number = Decimal(str(value))
            number = round(number, scale) if number.is_finite() else number
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise DoesNotFit("not a number") from error
        if isinstance(value, bool) or not number.is_finite() or abs(number) >= 10 ** (digits - scale):
            raise DoesNotFit("not a number of this size")
        return str(number)

    return ColumnType(f"DECIMAL({digits}, {scale})", read)


def _whole(bits: int) -> Read:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise DoesNotFit("not a whole number")
        try:
            number = int(value)
        except ValueError as error:
            raise DoesNotFit("not a whole number") from error
        if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
            raise DoesNotFit("too large")
        return number

    return read


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise DoesNotFit("not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError) as error:
        raise DoesNotFit("not a number") from error
    if not isfinite(number):
        raise DoesNotFit("not a finite number")
    return number


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise DoesNotFit("not a boolean")


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DoesNotFit("not Unicode") from error  # half of a pair of surrogates
    return text


def _moment(value: Any) -> str:
    """Epoch seconds (also with a fraction) or milliseconds, or one of OpenX's two ways to write a time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= _SECONDS_END else value
        return _written(lambda: datetime.fromtimestamp(seconds, UTC))
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise DoesNotFit("not a timestamp")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    microsecond = int((found[7] or "0").ljust(6, "0")[:6])
    return _written(lambda: datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC))


def _written(moment: Callable[[], datetime]) -> str:
    try:
        return moment().isoformat(sep=" ", timespec="microseconds").removesuffix("+00:00")
    except (ValueError, OverflowError, OSError) as error:
        raise DoesNotFit("not a timestamp") from error


def _day(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise DoesNotFit("not a date") from error


_PLAIN = {
    **{name: ColumnType(duckdb, _whole(bits)) for name, (duckdb, bits) in _WHOLE.items()},
    "integer": ColumnType("INTEGER", _whole(32)),
    "float": ColumnType("FLOAT", _real),
    "double": ColumnType("DOUBLE", _real),
    "boolean": ColumnType("BOOLEAN", _truth),
    "string": ColumnType("VARCHAR", _text),
    "timestamp": ColumnType("TIMESTAMP", _moment),
    "date": ColumnType("DATE", _day),
}
