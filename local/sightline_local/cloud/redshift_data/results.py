"""Rows of a warehouse in the form of the Data API."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sightline_local.cloud.redshift.session import Column

# Redshift's declared types by the names that the Data API has for them.
_TYPE_NAMES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "boolean": "bool",
    "char": "bpchar",
}


def field_of(value: Any) -> dict[str, Any]:
    """One value as a Field: numbers and booleans as such, everything else as text."""
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        text = value.isoformat(sep=" ")
        return text.rstrip("0") if "." in text else text
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return str(value)


def metadata_of(column: "Column") -> dict[str, Any]:
    """What the Data API says of a column."""
    kind = column.type
    sizes = kind.declared.partition("(")[2].rstrip(")").split(",")
    is_text = kind.length is not None
    return {
        "name": column.name,
        "label": column.name,
        "typeName": _TYPE_NAMES.get(kind.name, kind.name),
        "length": 0,
        "nullable": 1,
        "precision": int(sizes[0]) if sizes[0] else 0,
        "scale": kind.scale,
        "isCaseSensitive": is_text,
        "isCurrency": False,
        "isSigned": not is_text,
        "schemaName": "",
        "tableName": "",
    }


def size_of(records: Sequence[Sequence[dict[str, Any]]]) -> int:
    """Bytes of the result, as far as anybody can tell."""
    return sum(len(str(next(iter(field.values())))) for record in records for field in record)
