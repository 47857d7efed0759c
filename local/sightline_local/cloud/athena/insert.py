"""INSERT INTO: the rows of a query become files of a table's partitions.

https://docs.aws.amazon.com/athena/latest/ug/insert-into.html
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sightline_local.cloud.athena.catalog import Catalog, Column, Table
from sightline_local.cloud.athena.engine import Engine
from sightline_local.cloud.athena.errors import QueryFailed, not_emulated
from sightline_local.cloud.athena.files import Bucket
from sightline_local.cloud.athena.partitions import Projection, Values, hive_place
from sightline_local.cloud.athena.statement import Statement

_MOST_PARTITIONS = 100
_CODECS = {"SNAPPY", "GZIP", "ZSTD", "LZ4", "UNCOMPRESSED"}
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_REAL = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class Inserted:
    """`files` are URLs."""

    rows: int
    files: tuple[str, ...]


class Insertion:
    """`note` is told of the files before the first one is written: what fails leaves some of them."""

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        bucket: Bucket,
        now: datetime,
        note: Callable[[Sequence[str]], None],
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._bucket = bucket
        self._now = now
        self._note = note

    def run(self, statement: Statement, table: Table) -> Inserted:
        codec = table.compression.upper()
        if codec not in _CODECS:
            raise not_emulated(f"the compression {codec}")
        kept = self._engine.keep(statement.duckdb())
        columns = _matched(statement.columns, table, kept.types)
        (count,) = kept.rows[0]
        given = {column.name: name for name, column in columns}
        keys = [(given[key.name], key) for key in table.keys]
        values = [(name, column) for name, column in columns if column not in table.keys]
        written = [
            (self._file(table, each), each, body) for each, body in self._engine.write(values, keys, codec)
        ]
        if len(written) > _MOST_PARTITIONS:
            raise QueryFailed(
                f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {_MOST_PARTITIONS} open writers for "
                "partitions/buckets"
            )
        self._note([url for url, _, _ in written])
        for url, each, body in written:
            self._bucket.write(url, body)
            if table.keys and not table.is_projected:
                self._catalog.register(table, each, url.rpartition("/")[0] + "/")
        return Inserted(int(count), tuple(url for url, _, _ in written))

    def _file(self, table: Table, values: Values) -> str:
        if None in values:
            raise not_emulated("a partition whose key is null")
        place = (
            Projection(table, self._now).place(values) if table.is_projected else hive_place(table, values)
        )
        return f"{place}{self._now:%Y%m%d_%H%M%S}_00000_local_{uuid.uuid4()}"


def _matched(names: Sequence[str], table: Table, types: Sequence[str]) -> list[tuple[str, Column]]:
    """Columns of the answer with those of the table, by their order; the keys come last."""
    known = {each.name: each for each in table.all_columns}
    if unknown := [name for name in names if name not in known]:
        raise QueryFailed(
            f"COLUMN_NOT_FOUND: Insert column name does not exist in target table: {unknown[0]}"
        )
    columns = [known[name] for name in names] if names else list(table.all_columns)
    kinds = [each.duckdb for each in columns]
    if len(columns) != len(types) or not all(map(_fits, types, kinds)):
        message = f"Table: [{', '.join(kinds).lower()}], Query: [{', '.join(types).lower()}]"
        raise QueryFailed(f"TYPE_MISMATCH: Insert query has mismatched column types: {message}")
    if missing := [key.name for key in table.keys if key not in columns]:
        raise QueryFailed(f"NOT_SUPPORTED: INSERT must write the partition column {missing[0]}")
    return [(f"c{number}", column) for number, column in enumerate(columns)]


def _fits(given: str, wanted: str) -> bool:
    """Whether Trino turns one type into the other unasked."""
    given = "BIGINT" if given == "HUGEINT" else given
    if given in (wanted, '"NULL"'):
        return True
    if given in _WHOLE:
        wider = _WHOLE[_WHOLE.index(given) :]
        return wanted in wider or wanted in _REAL or wanted.startswith("DECIMAL")
    if given.startswith("DECIMAL"):
        return wanted in _REAL or wanted.startswith("DECIMAL")
    return (given, wanted) in (("FLOAT", "DOUBLE"), ("DATE", "TIMESTAMP"))
