"""COPY: rows of texts into a table, and a list of those that would not go."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sightline_local.cloud.redshift import load_errors as codes
from sightline_local.cloud.redshift.column_type import ColumnType, type_of_duckdb
from sightline_local.cloud.redshift.copy_command import CopyCommand
from sightline_local.cloud.redshift.copy_rules import rules_for
from sightline_local.cloud.redshift.copy_source import S3Files, texts_of
from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift.json_records import JsonPathError, Pick, Row, by_names, by_paths, rows_of
from sightline_local.cloud.redshift.load_errors import LoadError
from sightline_local.cloud.redshift.session import Session

_ROWS_AT_ONCE = 10_000
_LIST = '["VARCHAR"]'  # the shape of a column of texts that DuckDB reads from one JSON text


@dataclass(frozen=True, slots=True)
class _Target:
    """A column that is loaded."""

    name: str
    type: ColumnType
    is_nullable: bool


def run_copy(session: Session, command: CopyCommand, files: S3Files) -> int:
    """Load what the command says, inside the session's transaction; the number of rows.

    SqlError when as many rows are wrong as MAXERROR says; the system table lists them.
    """
    return _Load(session, command, files).run()


class _Load:
    def __init__(self, session: Session, command: CopyCommand, files: S3Files) -> None:
        self._session = session
        self._command = command
        self._files = files
        self._connection = session.connection
        self._table_id, self._targets = self._columns()
        self._query_id = session.next_query_id()
        self._started_at = datetime.now(UTC)
        self._errors = 0

    def run(self) -> int:
        pick = self._pick()
        nested = frozenset(i for i, target in enumerate(self._targets) if target.type.name == "super")
        self._make_incoming()
        count = 0
        for url, text in texts_of(self._command, self._files):
            rows = rows_of(text, pick, nested)
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                count += self._load(url, batch)
        return count

    def _columns(self) -> tuple[int, list[_Target]]:
        schema = self._command.schema or self._session.schema()
        found = self._connection.execute(
            "SELECT column_name, data_type, is_nullable, comment, table_oid, database_name = 'temp'"
            " FROM duckdb_columns() WHERE table_name = $1 AND (schema_name = $2 OR database_name = 'temp')"
            " ORDER BY database_name = 'temp' DESC, column_index",
            [self._command.table, schema],
        ).fetchall()
        if not found:
            raise SqlError(f'relation "{self._command.table}" does not exist')
        is_temporary = bool(found[0][5])  # which hides a table of the same name
        if not is_temporary:
            self._session.rights.check_insert(schema, self._command.table)
        known = {
            row[0].lower(): _Target(row[0], type_of_duckdb(row[1], row[3]), bool(row[2])) for row in found
        }
        names = self._command.columns or tuple(known)
        for name in names:
            if name not in known:
                raise SqlError(f'column "{name}" of relation "{self._command.table}" does not exist')
        return int(found[0][4]), [known[name] for name in names]

    def _pick(self) -> Pick:
        how, names = self._command.json, [target.name for target in self._targets]
        if not how.startswith("s3://"):
            return by_names(names, ignore_case=how == "auto ignorecase")
        try:
            return by_paths(self._files.read(how).decode("utf-8", "replace"), len(names))
        except JsonPathError as error:
            raise SqlError(str(error)) from error

    def _make_incoming(self) -> None:
        columns = ", ".join(f"c{i} VARCHAR" for i in range(len(self._targets)))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming (line BIGINT, {columns})")

    def _load(self, url: str, batch: Sequence[Row]) -> int:
        good = [row for row in batch if not row.problem and not self._has_bad_bytes(url, row)]
        for row in batch:
            if row.problem:
                self._fail(LoadError(*self._place(url, row.line), "", "", "", 0, codes.BAD_LINE, row.problem))
        if not good:
            return 0
        self._take_in(good)
        wrong = self._check(url)
        count = len(good) - wrong
        if not self._command.only_checks:
            names = ", ".join(f'"{target.name}"' for target in self._targets)
            values = ", ".join(self._value(i) for i in range(len(self._targets)))
            rows = f"SELECT {values} FROM incoming WHERE {self._first_wrong()} = -1"  # noqa: S608  our own parts
            self._connection.execute(f"INSERT INTO {self._table()} ({names}) {rows}")
        return count

    def _take_in(self, rows: Sequence[Row]) -> None:
        columns = [[row.values[i] for row in rows] for i in range(len(self._targets))]
        columns = [self._shortened(i, column) for i, column in enumerate(columns)]
        texts = [json.dumps([str(row.line) for row in rows])] + [json.dumps(c) for c in columns]
        lists = ", ".join(f"unnest(from_json(${i + 1}::VARCHAR, '{_LIST}'))" for i in range(len(texts)))
        self._connection.execute("DELETE FROM incoming")
        self._connection.execute(f"INSERT INTO incoming SELECT {lists}", texts)

    def _shortened(self, index: int, column: list[str | None]) -> list[str | None]:
        """TRUNCATECOLUMNS cuts after whole characters; blanks and nothing may stand for NULL."""
        target, command = self._targets[index].type, self._command
        if target.length is None:
            return column
        if command.truncates:
            most = target.length
            column = [t if t is None or len(t) * 4 <= most else _cut(t, most) for t in column]
        if command.blanks_as_null:
            column = [None if t is not None and t.isspace() else t for t in column]
        if command.empty_as_null or command.blanks_as_null:
            column = [t or None for t in column]
        return column

    def _check(self, url: str) -> int:
        """List the rows that do not fit; return how many."""
        query = f"SELECT line, {self._first_wrong()} AS wrong, * FROM incoming WHERE wrong <> -1"  # noqa: S608
        found = self._connection.execute(query).fetchall()
        for row in found:
            index, rule = divmod(row[1], 10)
            self._fail(self._error(url, row[0], index, rule))
        return len(found)

    def _first_wrong(self) -> str:
        """An expression: column * 10 + rule of the first thing that is wrong in a row, or -1."""
        cases = []
        for index, target in enumerate(self._targets):
            text = f"c{index}"
            if not target.is_nullable:
                cases.append(f"WHEN {text} IS NULL THEN {index * 10}")
            for number, rule in enumerate(rules_for(target.type, self._command), 1):
                wrong = rule.is_wrong.replace("{}", text)
                cases.append(f"WHEN {text} IS NOT NULL AND {wrong} THEN {index * 10 + number}")
        return f"(CASE {' '.join(cases)} ELSE -1 END)" if cases else "-1"

    def _error(self, url: str, line: int, index: int, rule: int) -> LoadError:
        target = self._targets[index]
        code, reason = codes.MISSING_NOT_NULL, "Missing data for not-null field"
        if rule:
            broken = rules_for(target.type, self._command)[rule - 1]
            code, reason = broken.code, broken.reason
        length = str(target.type.length or "")
        return LoadError(*self._place(url, line), target.name, target.type.name[:10], length, 0, code, reason)

    def _value(self, index: int) -> str:
        rule = rules_for(self._targets[index].type, self._command)[-1]
        return rule.value.replace("{}", f"c{index}")

    def _table(self) -> str:
        table = f'"{self._command.table}"'
        return f'"{self._command.schema}".{table}' if self._command.schema else table

    def _place(self, url: str, line: int) -> tuple[int, int, datetime, str, int]:
        return self._query_id, self._table_id, self._started_at, url, line

    def _has_bad_bytes(self, url: str, row: Row) -> bool:
        if not any(text and not text.isascii() and _surrogates(text) for text in row.values):
            return False
        reason = "String contains invalid or unsupported UTF8 codepoints"
        self._fail(LoadError(*self._place(url, row.line), "", "", "", 0, codes.BAD_UTF8, reason))
        return True

    def _fail(self, error: LoadError) -> None:
        self._session.pending.append(error)
        self._errors += 1
        if self._errors >= max(self._command.max_errors, 1):
            table, errors = self._command.table, self._session.database.error_table
            raise SqlError(f"Load into table '{table}' failed.  Check '{errors}' system table for details.")


def _cut(text: str, most: int) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return text if len(data) <= most else data[:most].decode("utf-8", "ignore")


def _surrogates(text: str) -> bool:
    return any(0xD800 <= ord(each) <= 0xDFFF for each in text)
