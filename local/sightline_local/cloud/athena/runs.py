"""Running queries on threads of their own, each with the keys of who started it."""

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlglot import exp

from sightline_local.cloud.athena.answer import csv_of
from sightline_local.cloud.athena.catalog import Catalog, Table
from sightline_local.cloud.athena.engine import Engine
from sightline_local.cloud.athena.errors import QueryFailed
from sightline_local.cloud.athena.executions import QueryExecution, QueryExecutions
from sightline_local.cloud.athena.files import Bucket, DataFile
from sightline_local.cloud.athena.insert import Insertion
from sightline_local.cloud.athena.partitions import Projection
from sightline_local.cloud.athena.pruning import needed
from sightline_local.cloud.athena.statement import Statement, statement_of

_logger = logging.getLogger(__name__)
_AT_ONCE = 4
_SERVER_SIDE = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}


@dataclass(frozen=True, slots=True)
class Rights:
    """boto3 clients with the keys of the caller."""

    glue: Any
    s3: Any


class Runs:
    """`submit` returns at once."""

    def __init__(self, executions: QueryExecutions, now: Callable[[], datetime]) -> None:
        self._executions = executions
        self._now = now
        self._executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="athena")
        self._engines: dict[str, Engine] = {}
        self._lock = Lock()

    def submit(self, execution: QueryExecution, tree: exp.Expr, rights: Rights) -> None:
        self._executor.submit(self._run, execution, tree, rights, time.perf_counter())

    def cancel(self, execution: QueryExecution) -> None:
        """One that has ended stays as it is."""
        with self._lock:
            if execution.is_ended:
                return
            self._end(execution, "CANCELLED", QueryFailed("Query cancelled by user"))
            engine = self._engines.get(execution.id)
        if engine is not None:
            engine.interrupt()

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            engines = list(self._engines.values())
        for engine in engines:
            engine.interrupt()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, execution: QueryExecution, tree: exp.Expr, rights: Rights, submitted: float) -> None:
        began = time.perf_counter()
        execution.queued = _milliseconds(began - submitted)
        with self._lock:
            if execution.is_ended:
                return
            execution.state = "RUNNING"
        failure: QueryFailed | None = None
        try:
            with tempfile.TemporaryDirectory(prefix="athena-") as folder, Engine(Path(folder)) as engine:
                with self._lock:
                    self._engines[execution.id] = engine
                _Run(execution, rights, engine, self._now).run(tree)
        except QueryFailed as error:
            failure = error
        except Exception as error:  # a fault of the runtime: the query must not run for ever
            _logger.exception("query %s failed", execution.id)
            failure = QueryFailed(f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}", category=1)
        with self._lock:
            self._engines.pop(execution.id, None)
            if not execution.is_ended:
                execution.ran = _milliseconds(time.perf_counter() - began)
                self._end(execution, failure.state if failure else "SUCCEEDED", failure)

    def _end(self, execution: QueryExecution, state: str, failure: QueryFailed | None) -> None:
        if failure is not None:
            execution.reason, execution.category = failure.reason, failure.category
        execution.completed_at = self._now()
        execution.state = state
        self._executions.keep(execution)


class _Run:
    """One query, from the files that it reads to those that it writes."""

    def __init__(
        self, execution: QueryExecution, rights: Rights, engine: Engine, now: Callable[[], datetime]
    ) -> None:
        self._execution = execution
        self._engine = engine
        self._now = now
        self._catalog = Catalog(rights.glue)
        self._bucket = Bucket(rights.s3)

    def run(self, tree: exp.Expr) -> None:
        execution = self._execution
        self._bucket.locate(execution.output)
        statement = statement_of(tree, execution.database)
        for name in statement.tables:
            self._offer(statement, self._catalog.table(name))
        if statement.target is not None:
            self._insert(statement, self._catalog.table(statement.target))
            return
        answer = self._engine.ask(statement.duckdb())
        execution.columns = list(zip(answer.names, answer.types, strict=True))
        self._write(execution.answer_url, csv_of(answer.names, answer.rows))

    def _offer(self, statement: Statement, table: Table) -> None:
        files = self._needed(statement, table)
        self._execution.scanned += sum(each.size for each in files)
        limit = self._execution.scan_limit
        if limit and self._execution.scanned > limit:
            raise QueryFailed("Bytes scanned limit was exceeded", state="CANCELLED")
        self._bucket.fetch(files, self._engine.place)
        self._engine.offer(table, files, sees_files=statement.sees_files)

    def _needed(self, statement: Statement, table: Table) -> Sequence[DataFile]:
        files = self._files(table)
        if not table.keys or not files:
            return files
        known = sorted({each.values for each in files})
        chosen = needed(
            statement, table, known, lambda sql, values: self._engine.select(table.keys, sql, values)
        )
        return [each for each in files if each.values in chosen]

    def _files(self, table: Table) -> list[DataFile]:
        if not table.keys:
            return list(self._bucket.below(table.location))
        if not table.is_projected:
            return [
                DataFile(each.url, each.size, values)
                for place, values in self._catalog.registered(table).items()
                for each in self._bucket.below(place)
            ]
        projection = Projection(table, self._now())
        found = ((each, projection.values(each.url)) for each in self._bucket.below(projection.prefix))
        return [DataFile(each.url, each.size, values) for each, values in found if values is not None]

    def _insert(self, statement: Statement, table: Table) -> None:
        execution = self._execution

        def note(urls: Sequence[str]) -> None:
            execution.manifest = f"{execution.output}{execution.id}-manifest.csv"
            self._write(execution.manifest, "".join(f"{url}\n" for url in urls).encode())

        insertion = Insertion(self._engine, self._catalog, self._bucket, self._now(), note)
        execution.updated = insertion.run(statement, table).rows
        self._write(execution.answer_url, b"")

    def _write(self, url: str, body: bytes) -> None:
        if self._execution.is_ended:  # somebody has stopped it: it must not write any more
            raise QueryFailed("Query cancelled by user", state="CANCELLED")
        option = self._execution.encryption.get("EncryptionOption", "")
        more = {"ServerSideEncryption": _SERVER_SIDE[option]} if option in _SERVER_SIDE else {}
        self._bucket.write(url, body, **more)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
