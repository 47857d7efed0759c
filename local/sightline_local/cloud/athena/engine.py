"""DuckDB in Athena's place: one database per query, which sees the query's files and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb

from sightline_local.cloud.athena.catalog import Column, Table
from sightline_local.cloud.athena.errors import QueryFailed, in_athenas_words
from sightline_local.cloud.athena.files import DataFile
from sightline_local.cloud.athena.partitions import Values
from sightline_local.cloud.athena.statement import HIDDEN, WITH_HIDDEN

_SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "1GB",
    "threads": 2,
}
_RESULT = '"$result"'


@dataclass(frozen=True, slots=True)
class Rows:
    """`types` are DuckDB's."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Engine:
    """A context manager; `folder` is where it may write, and the only place that it may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables = 0
        self._db = duckdb.connect(config={**_SETTINGS, "temp_directory": str(folder / ".more")})
        for setting in (
            "TimeZone = 'UTC'",
            "integer_division = true",
            "python_enable_replacements = false",  # no statement reads a variable of this process
            f"allowed_directories = [{_text(str(folder))}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._db.execute(f"SET {setting}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_of_exception: object) -> None:
        self._db.close()

    def interrupt(self) -> None:
        """End the statement that runs; it raises QueryFailed on its own thread."""
        self._db.interrupt()

    def select(self, keys: Sequence[Column], condition: str, known: Sequence[Values]) -> list[Values]:
        """Those of the values of partitions for which the condition is true."""
        texts = [list(column) for column in zip(*known, strict=True)]
        given = ", ".join(f"unnest(${n + 1}) AS v{n}" for n in range(len(keys)))
        typed = ", ".join(
            f"TRY_CAST(v{n} AS {key.duckdb}) AS {_name(key.name)}" for n, key in enumerate(keys)
        )
        wanted = ", ".join(f"v{n}" for n in range(len(keys)))
        sql = f"SELECT {wanted} FROM (SELECT *, {typed} FROM (SELECT {given})) WHERE {condition}"  # noqa: S608  ours
        with _told():
            return self._db.execute(sql, texts).fetchall()

    def place(self, number: int) -> Path:
        """For the n-th file of the next table."""
        folder = self._folder / f"table-{self._tables}"
        folder.mkdir(exist_ok=True)
        return folder / f"{number}.parquet"

    def offer(self, table: Table, files: Sequence[DataFile], *, sees_files: bool) -> None:
        """The files, each at its `place`, are the table."""
        schema = _name(table.name.database)
        shown = _name(table.name.name + (WITH_HIDDEN if sees_files else ""))
        with _told():
            self._db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            source = self._source(table, files, sees_files=sees_files)
            self._db.execute(f"CREATE VIEW {schema}.{shown} AS {source}")
        self._tables += 1

    def _source(self, table: Table, files: Sequence[DataFile], *, sees_files: bool) -> str:
        there = self._columns() if files else set()
        values = {each.name: f"f.{_name(each.name)}" for each in table.columns if each.name in there}
        values |= {each.name: f"p.{_name(each.name)}" for each in table.keys if files}
        columns = [
            f"CAST({values.get(each.name, 'NULL')} AS {each.duckdb}) AS {_name(each.name)}"
            for each in table.all_columns
        ]
        if sees_files:
            columns.append(f"{'p.url' if files else 'NULL'} AS {_name(HIDDEN)}")
        if not files:
            return f"SELECT {', '.join(columns)} WHERE false"
        self._keep_places(table, files)
        return (
            f"SELECT {', '.join(columns)} FROM {self._read()} AS f "  # noqa: S608  names are quoted
            f'JOIN "$places"."{self._tables}" AS p ON f.filename = p.file'
        )

    def _read(self) -> str:
        pattern = _text(str(self._folder / f"table-{self._tables}" / "*.parquet"))
        return f"read_parquet({pattern}, union_by_name = true, filename = true)"

    def _columns(self) -> set[str]:
        return {row[0].lower() for row in self._db.execute(f"DESCRIBE FROM {self._read()}").fetchall()}

    def _keep_places(self, table: Table, files: Sequence[DataFile]) -> None:
        lists: list[list[str]] = [
            [str(self.place(number)) for number in range(len(files))],
            [file.url for file in files],
            *([file.values[n] for file in files] for n in range(len(table.keys))),
        ]
        names = ["file", "url", *(_name(key.name) for key in table.keys)]
        values = ", ".join(f"unnest(${n + 1}) AS {name}" for n, name in enumerate(names))
        self._db.execute('CREATE SCHEMA IF NOT EXISTS "$places"')
        self._db.execute(f'CREATE TABLE "$places"."{self._tables}" AS SELECT {values}', lists)

    def ask(self, sql: str) -> Rows:
        """The answer of a query."""
        with _told():
            found = self._db.execute(sql)
            columns = found.description or []
            names, types = tuple(each[0] for each in columns), tuple(str(each[1]) for each in columns)
            return Rows(names, types, found.fetchall())

    def keep(self, sql: str) -> Rows:
        """Keep the answer of a query for `files_of`; its names and types, and how many rows it has."""
        with _told():
            described = self._db.execute(f"DESCRIBE {sql}").fetchall()
            names = [f"c{number}" for number in range(len(described))]
            source = f"({sql}) AS answer ({', '.join(names)})"
            self._db.execute(f"CREATE TABLE {_RESULT} AS SELECT * FROM {source}")  # noqa: S608  it was translated
            count = self._db.execute(f"SELECT count(*) FROM {_RESULT}").fetchall()  # noqa: S608  ours
        return Rows(tuple(row[0] for row in described), tuple(row[1] for row in described), count)

    def write(
        self, columns: Sequence[tuple[str, Column]], keys: Sequence[tuple[str, Column]], codec: str
    ) -> Iterator[tuple[Values, bytes]]:
        """What `keep` kept as Parquet, a file per partition: (column of the answer, column of the table)."""
        partition = ", ".join(f"CAST({name} AS VARCHAR)" for name, _ in keys) or "''"
        values = ", ".join(f"CAST({name} AS {each.duckdb}) AS {_name(each.name)}" for name, each in columns)
        file = self._folder / "written.parquet"
        with _told():
            found = self._db.execute(f"SELECT DISTINCT {partition} FROM {_RESULT} ORDER BY ALL").fetchall()  # noqa: S608  ours
        for each in found:
            own = (
                " AND ".join(
                    f"CAST({name} AS VARCHAR) IS NOT DISTINCT FROM {_text(value)}"
                    for (name, _), value in zip(keys, each, strict=False)
                )
                or "true"
            )
            with _told():
                self._db.execute(
                    f"COPY (SELECT {values} FROM {_RESULT} WHERE {own}) TO {_text(str(file))} "  # noqa: S608  ours
                    f"(FORMAT parquet, COMPRESSION {codec})"
                )
            yield tuple(each[: len(keys)]), file.read_bytes()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryFailed("Query cancelled by user", state="CANCELLED") from error
    except duckdb.Error as error:
        raise QueryFailed(in_athenas_words(str(error))) from error


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"
