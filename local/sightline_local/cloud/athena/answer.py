"""Rows as Athena writes them into its CSV files, and as GetQueryResults gives them back.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

# Athena's types by DuckDB's; a sum of whole numbers is BIGINT there and larger here.
_TYPES = {
    "BIGINT": ("bigint", 19, 0),
    "BLOB": ("varbinary", 1073741824, 0),
    "BOOLEAN": ("boolean", 0, 0),
    "DATE": ("date", 0, 0),
    "DOUBLE": ("double", 17, 0),
    "FLOAT": ("float", 17, 0),
    "HUGEINT": ("bigint", 19, 0),
    "INTEGER": ("integer", 10, 0),
    "SMALLINT": ("smallint", 5, 0),
    "TIMESTAMP": ("timestamp", 3, 0),
    "TINYINT": ("tinyint", 3, 0),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_CELL = re.compile(r'(?:"((?:[^"]|"")*)")?([,\n])')


def column_info(name: str, duckdb_type: str) -> dict[str, Any]:
    """A column as ResultSetMetadata has it."""
    kind, precision, scale = _TYPES.get(duckdb_type, ("varchar", 2147483647, 0))
    if found := _DECIMAL.fullmatch(duckdb_type):
        kind, precision, scale = "decimal", int(found[1]), int(found[2])
    elif duckdb_type.endswith("[]"):
        kind, precision = "array", 0
    elif duckdb_type.startswith(("STRUCT", "MAP")):
        kind, precision = ("row" if duckdb_type.startswith("STRUCT") else "map"), 0
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }


def csv_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Every value stands in quotes; null is nothing at all."""
    lines = [",".join(map(_quoted, names))]
    lines += (",".join("" if value is None else _quoted(text_of(value)) for value in row) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def rows_of(content: bytes) -> Iterator[list[str | None]]:
    """The lines of such a file, the names of the columns first."""
    row: list[str | None] = []
    for cell in _CELL.finditer(content.decode()):
        row.append(None if cell[1] is None else cell[1].replace('""', '"'))
        if cell[2] == "\n":
            yield row
            row = []


def text_of(value: Any) -> str:
    """One value, which is not null."""
    for kind, written in _WRITTEN:
        if isinstance(value, kind):
            return written(value)
    return str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else text_of(value)


def _java(value: float) -> str:
    """Double.toString: plain from 0.001 up to 10 million, with an E beyond."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


_WRITTEN: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (float, _java),
    (datetime, lambda value: str(value.isoformat(sep=" ", timespec="milliseconds"))),
    (bytes, lambda value: str(value.hex(" "))),
    ((list, tuple), lambda value: f"[{', '.join(map(_inner, value))}]"),
    (dict, lambda value: f"{{{', '.join(f'{name}={_inner(item)}' for name, item in value.items())}}}"),
)
