"""What is done to the warehouse: bring its schema up to date, take in sightings, refresh the dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sightline.clock import Clock
from sightline.warehouse.model import Applied, Migration, Row, still_to_apply

# Each run looks this far back, so that an hour without runs leaves no gap; the same error is written again.
ERRORS_OF = timedelta(days=1)
_MIGRATIONS_TABLE = """CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER NOT NULL, name VARCHAR(128) NOT NULL, checksum CHAR(64) NOT NULL,
    applied_at TIMESTAMP DEFAULT GETDATE()
)"""
_APPLIED = "SELECT version, name, checksum FROM migrations ORDER BY version"
_ERRORS = """SELECT query_id, start_time, TRIM(file_name) AS file, line_number,
    TRIM(column_name) AS column_name, error_code, TRIM(error_message) AS reason
FROM sys_load_error_detail WHERE start_time >= '{since}' ORDER BY query_id, file, line_number, column_name"""


class Warehouse(Protocol):
    """StatementFailedError for what it refuses, UnavailableError for what it cannot answer now."""

    def run(self, statements: Sequence[str]) -> list[int]:
        """All or nothing, in one transaction: how many rows each statement changed."""
        ...

    def query(self, statement: str) -> list[dict[str, Any]]:
        """The rows, by the names of their columns."""
        ...


class Registers(Protocol):
    """The tables of the application, as rows of the dimensions."""

    def rows(self) -> Mapping[str, Sequence[Row]]:
        """Dimension → all its rows as they are now."""
        ...


class Files(Protocol):
    """The bucket beside the warehouse."""

    def write_rows(self, dimension: str, rows: Sequence[Row]) -> None:
        """The file that COPY reads; the one before is gone."""
        ...

    def write_errors(self, copy_id: int, day: datetime, errors: Sequence[Row]) -> None:
        """The manifest of the rows that one COPY left out."""
        ...

    def has_new_rows(self, since: datetime) -> bool:
        """Whether something was on its way into staging after that moment."""
        ...


@dataclass(frozen=True, slots=True)
class SchemaUpdate:
    """Safe to repeat; each file is one transaction."""

    warehouse: Warehouse
    migrations: Sequence[Migration]

    def apply(self) -> tuple[int, ...]:
        """The versions that were applied now; RejectedError or StatementFailedError with the reason."""
        self.warehouse.run([_MIGRATIONS_TABLE])
        applied = [
            Applied(int(row["version"]), str(row["name"]), str(row["checksum"]).strip())
            for row in self.warehouse.query(_APPLIED)
        ]
        missing = still_to_apply(self.migrations, applied)
        for migration in missing:
            self.warehouse.run([*migration.statements, _remembered(migration)])
        return tuple(each.version for each in missing)


def _remembered(migration: Migration) -> str:
    # All three are of our own files, and neither a name nor a checksum can hold a quote.
    values = f"{migration.version}, '{migration.name}', '{migration.checksum}'"
    return f"INSERT INTO migrations (version, name, checksum) VALUES ({values})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Merged:
    """What one run did: sightings taken out of staging, and rows that COPY had left out in the last day."""

    sightings: int
    left_out: int
    was_idle: bool = False


@dataclass(frozen=True, slots=True)
class SightingMerge:
    """Staging → sightings; `job` are the statements, of which the second one takes the batch.

    The warehouse is left asleep, for it costs money awake, when nothing has come for `idle_after`.
    """

    warehouse: Warehouse
    files: Files
    job: Sequence[str]
    clock: Clock
    idle_after: timedelta = timedelta(days=1)

    def merge(self) -> Merged:
        now = self.clock()
        if not self.files.has_new_rows(now - self.idle_after):
            return Merged(0, 0, was_idle=True)
        changed = self.warehouse.run(self.job)
        return Merged(changed[1], self._report_errors(now - ERRORS_OF))

    def _report_errors(self, since: datetime) -> int:
        by_copy: dict[int, list[dict[str, Any]]] = {}
        found = self.warehouse.query(_ERRORS.format(since=f"{since:%Y-%m-%d %H:%M:%S}"))
        for row in found:
            by_copy.setdefault(int(row["query_id"]), []).append(row)
        for copy_id, rows in by_copy.items():
            day = datetime.fromisoformat(str(rows[0]["start_time"]))
            self.files.write_errors(copy_id, day, [_error(row) for row in rows])
        return len({(row["query_id"], row["file"], row["line_number"]) for row in found})


def _error(row: Row) -> dict[str, Any]:
    names = {"file": "file", "line": "line_number", "column": "column_name", "code": "error_code"}
    return {name: row[column] for name, column in names.items()} | {"reason": row["reason"]}


@dataclass(frozen=True, slots=True)
class DimensionRefresh:
    """The tables of the application → files → dimensions, which change together or not at all."""

    warehouse: Warehouse
    files: Files
    registers: Registers
    job: Sequence[str]

    def refresh(self) -> Mapping[str, int]:
        """Dimension → how many rows were read for it."""
        found = self.registers.rows()
        for dimension, rows in found.items():
            self.files.write_rows(dimension, rows)
        self.warehouse.run(self.job)
        return {dimension: len(rows) for dimension, rows in found.items()}
