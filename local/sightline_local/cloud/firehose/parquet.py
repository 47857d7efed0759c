"""Rows of JSON to one Parquet file, by the columns of a Glue table."""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_local.cloud.firehose.conversion_settings import Conversion
from sightline_local.cloud.firehose.hive_types import ColumnType, DoesNotFit, parse_type

PARSE_ERROR = "DataFormatConversion.ParseError"
MALFORMED = "DataFormatConversion.MalformedData"
_MEMORY = "128MB"  # beside this runtime's own
_LONGEST_ROW = 8 << 20  # DuckDB reads with buffers of twice this size
_ROWS_OF_A_GROUP = 20_480
_NEXT = re.compile(r"\s*")


class NotConverted(Exception):  # noqa: N818  what happened
    """The record does not fit the table."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in its order, and how JSON finds them."""

    columns: Mapping[str, ColumnType]
    conversion: Conversion

    def rows(self, data: bytes) -> list[bytes]:
        """Lines of JSON for one record, which may hold several objects one after the other; NotConverted."""
        return [self._line(document) for document in _documents(data)]

    def _line(self, document: Any) -> bytes:
        line = json.dumps(self._row(document), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        if len(line) > _LONGEST_ROW:
            raise NotConverted(MALFORMED, "The row is too large.")
        return line

    def _row(self, document: Any) -> dict[str, Any]:
        if not isinstance(document, dict):
            raise NotConverted(MALFORMED, "The record is not a JSON object.")
        values = {self._name(key): value for key, value in document.items()}
        row: dict[str, Any] = {}
        for column, kind in self.columns.items():
            try:
                row[column] = kind.read(values.get(self.conversion.json_keys.get(column, column)))
            except DoesNotFit as error:
                message = f"Data does not match the schema: column {column}: {error}"
                raise NotConverted(MALFORMED, message) from error
        return row

    def _name(self, key: str) -> str:
        if self.conversion.dots_to_underscores:
            key = key.replace(".", "_")
        return key.lower() if self.conversion.case_insensitive and key not in self._mapped() else key

    def _mapped(self) -> Iterable[str]:
        return self.conversion.json_keys.values()


def schema_of(columns: Sequence[Mapping[str, str]], conversion: Conversion) -> Schema:
    """From the columns that Glue describes; UnknownType."""
    return Schema({each["Name"].lower(): parse_type(each["Type"]) for each in columns}, conversion)


def write_parquet(rows: Iterable[bytes], schema: Schema) -> bytes:
    """One file, by DuckDB, which is loaded with the first; empty when there are no rows."""
    shape = {name: kind.duckdb for name, kind in schema.columns.items()}
    described = ", ".join(f"'{_quoted(name)}': '{_quoted(kind)}'" for name, kind in shape.items())
    with tempfile.TemporaryDirectory(prefix="firehose-") as folder:
        lines, file = Path(folder, "rows.json"), Path(folder, "rows.parquet")
        with lines.open("wb") as stream:
            stream.writelines(rows)
        if not lines.stat().st_size:
            return b""
        import duckdb  # noqa: PLC0415  40 MB that most stacks do not need

        settings: dict[str, Any] = {"threads": 1, "memory_limit": _MEMORY, "temp_directory": folder}
        with duckdb.connect(config=settings) as db:
            db.execute(
                f"COPY (SELECT * FROM read_json('{lines}', format = 'newline_delimited', "  # noqa: S608  names are quoted
                f"columns = {{{described}}}, maximum_object_size = {_LONGEST_ROW})) "
                f"TO '{file}' (FORMAT parquet, COMPRESSION {schema.conversion.compression.lower()}, "
                f"ROW_GROUP_SIZE {_ROWS_OF_A_GROUP})"
            )
        return file.read_bytes()


def _documents(data: bytes) -> Iterable[Any]:
    decoder = json.JSONDecoder(parse_constant=_refuse)  # NaN and the like are no JSON
    try:
        text = data.decode()
        place = _skip(text, 0)
        if place == len(text):
            raise NotConverted(PARSE_ERROR, "The record is empty.")
        while place < len(text):
            document, place = decoder.raw_decode(text, place)
            yield document
            place = _skip(text, place)
    except (ValueError, RecursionError) as error:
        raise NotConverted(PARSE_ERROR, f"Encountered malformed JSON. {error}") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _skip(text: str, place: int) -> int:
    found = _NEXT.match(text, place)
    return found.end() if found else place


def _quoted(text: str) -> str:
    return text.replace("'", "''")
