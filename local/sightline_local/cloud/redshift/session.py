"""A connection to a database: statements, one after the other or several in one transaction."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

import duckdb

from sightline_local.cloud.redshift.column_type import ColumnType, type_of_duckdb
from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift.grants import Grant
from sightline_local.cloud.redshift.load_errors import LoadError
from sightline_local.cloud.redshift.messages import told
from sightline_local.cloud.redshift.rights import Rights
from sightline_local.cloud.redshift.translation import Translated, translate
from sightline_local.cloud.redshift.views import Views

_PATIENCE_SECONDS, _PAUSE_SECONDS = 5.0, 0.02


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a query, or how many rows a statement changed."""

    columns: tuple[Column, ...] | None = None  # None: there is no result set
    rows: Sequence[tuple[Any, ...]] = ()
    count: int = 0


Copy = Callable[["Session", str], int]  # runs a COPY statement in the session, returns the rows


class Session:
    """One connection of one user. `copy` runs its COPY statements."""

    def __init__(self, database: Database, user: str, copy: Copy, *, is_super: bool = True) -> None:
        self.database = database
        self.user = user
        self.connection = database.connect()
        self.views = Views(self.connection)
        self.rights = Rights(self.connection, user, is_super=is_super)
        self.pending: list[LoadError] = []  # what the COPY of this transaction could not load
        self._copy = copy
        self._case_sensitive = False
        self._cancelled = False
        self._idle = Event()
        self._idle.set()

    def run(self, statements: Sequence[str], parameters: Mapping[str, str] | None = None) -> list[Result]:
        """All in one transaction: SqlError when one fails, and then nothing is changed."""
        results: list[Result] = []
        with self.database.turn:
            self._idle.clear()
            try:
                with self._transaction():
                    for statement in statements:
                        self._check_cancelled()
                        results.append(self._run(statement, parameters or {}))
            except SqlError as error:
                error.number = len(results)
                raise
            finally:
                self._idle.set()
                self.database.keep_load_errors(self.pending)
                self.pending.clear()
        return results

    def cancel(self) -> None:
        """End what runs, from another thread."""
        self._cancelled = True
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self._idle.is_set() and time.monotonic() < end:
            self.connection.interrupt()  # which is lost when it comes before DuckDB has begun
            self._idle.wait(_PAUSE_SECONDS)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN TRANSACTION")
        try:
            with told():
                yield
                self.connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.TransactionException):  # a COMMIT that failed has undone it
                self.connection.execute("ROLLBACK")
            raise

    def _check_cancelled(self) -> None:
        if self._cancelled:
            raise SqlError("Query cancelled on user's request")

    def _run(self, sql: str, parameters: Mapping[str, str]) -> Result:
        translated = translate(
            sql, parameters, case_sensitive=self._case_sensitive, super_columns=self._super_columns
        )
        if translated.verb == "COPY":
            return Result(count=self._copy(self, sql))
        if isinstance(translated.change, Grant):
            self.rights.grant(translated.change)
        elif translated.change is not None:
            self.rights.add_user(translated.change)
        return self._run_translated(translated)

    def _run_translated(self, translated: Translated) -> Result:
        if translated.settings:
            self._set(translated.settings)
        if translated.creates is not None and self._is_there(translated):
            return Result()
        self.rights.check(translated.tree)
        subjects = self.rights.subjects(translated.tree)
        self.views.check(translated.tree, translated.sql)
        if translated.merges is not None:
            self._check_single_matches(translated)
        for statement in translated.sql:
            self.connection.execute(statement)
        if translated.verb == "TRUNCATE":  # it cannot be undone, nor what was done before it
            self.connection.execute("COMMIT")
            self.connection.execute("BEGIN TRANSACTION")
        result = self._result(translated) if translated.sql else Result()
        self.rights.record(translated.tree, subjects)
        return result

    def _result(self, translated: Translated) -> Result:
        if translated.gives == "rows":
            described = self.connection.description or []
            columns = tuple(Column(each[0], type_of_duckdb(str(each[1]), None)) for each in described)
            if any(column.type.name == "timestamptz" for column in columns):
                self.connection.execute(_zones_as_text(translated.sql[-1], columns))
            return Result(columns, self.connection.fetchall())
        if translated.gives == "count":
            row = self.connection.fetchone()
            return Result(count=int(row[0]) if row else 0)
        return Result()

    def _set(self, settings: Mapping[str, str]) -> None:
        if value := settings.get("enable_case_sensitive_identifier"):
            self._case_sensitive = value in ("true", "on", "1")
        if path := settings.get("search_path"):
            schemas = [name for name in path.split(",") if re.fullmatch(r"\w+", name)]
            self.connection.execute(f"SET search_path = '{','.join([*schemas, 'main'])}'")

    def _is_there(self, translated: Translated) -> bool:
        table = translated.creates
        assert table is not None
        found = self.connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = $1 AND temporary = $3"
            " AND (temporary OR schema_name = $2)",
            [table.name, table.db or self.schema(), translated.is_temporary],
        ).fetchone()
        if found and not translated.if_not_exists:
            raise SqlError(f'relation "{table.name}" already exists')
        return found is not None

    def _super_columns(self) -> dict[str, frozenset[str]]:
        query = (
            "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE data_type = 'JSON' GROUP BY 1"
        )
        rows = self.connection.execute(query).fetchall()
        return {str(table): frozenset(columns) for table, columns in rows}

    def next_query_id(self) -> int:
        row = self.connection.execute("SELECT nextval('main.query_ids')").fetchone()
        return int(row[0]) if row else 0

    def schema(self) -> str:
        row = self.connection.execute("SELECT current_schema()").fetchone()
        return str(row[0]) if row else "public"

    def _check_single_matches(self, translated: Translated) -> None:
        """A row of the target that several rows of the source match ends the statement."""
        merge = translated.merges
        assert merge is not None
        target, source = merge.this.sql("duckdb"), merge.args["using"].sql("duckdb")
        if self._is_view(merge.args["using"].name):
            raise SqlError("the source of MERGE must be a table, not a view")
        query = (
            f"SELECT 1 FROM {target} JOIN {source} ON {merge.args['on'].sql('duckdb')}"  # noqa: S608  our own parts
            f" GROUP BY {merge.this.name}.rowid HAVING count(*) > 1 LIMIT 1"
        )
        if self.connection.execute(query).fetchone():
            raise SqlError("Found multiple matches to update the same tuple.")

    def _is_view(self, name: str) -> bool:
        query = "SELECT 1 FROM duckdb_views() WHERE view_name = $1 AND NOT internal"
        return self.connection.execute(query, [name]).fetchone() is not None


def _zones_as_text(query: str, columns: Sequence[Column]) -> str:
    """DuckDB gives Python a moment with a zone only if pytz is installed."""
    names = [f"c{i}" for i in range(len(columns))]
    values = [
        f"{name}::VARCHAR" if column.type.name == "timestamptz" else name
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(values)} FROM ({query}) AS wrapped ({', '.join(names)})"  # noqa: S608  our own
