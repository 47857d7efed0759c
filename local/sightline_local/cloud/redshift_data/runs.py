"""Running statements on threads of their own, one session each."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift_data.statements import Statement, Statements

if TYPE_CHECKING:
    from sightline_local.cloud.redshift.session import Session

_logger = logging.getLogger(__name__)
_AT_ONCE = 4


class Runs:
    """`submit` returns at once."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._executor: ThreadPoolExecutor | None = None
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()

    def submit(self, statement: Statement, connect: "Callable[[], Session]") -> None:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="redshift-data")
            self._executor.submit(self._run, statement, connect)

    def cancel(self, statement: Statement) -> bool:
        """Whether it could still be cancelled."""
        with self._lock:
            if statement.is_ended:
                return False
            statement.status = "ABORTED"
            session = self._sessions.get(statement.id)
        if session is not None:
            session.cancel()
        return True

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            executor, sessions = self._executor, list(self._sessions.values())
        for session in sessions:
            session.cancel()
        if executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, statement: Statement, connect: "Callable[[], Session]") -> None:
        began = time.perf_counter()
        try:
            self._run_in(statement, connect())
        except SqlError as error:
            self._failed(statement, error)
        except Exception as error:  # a fault of the runtime: the statement must not wait for ever
            _logger.exception("statement %s failed", statement.id)
            self._failed(statement, SqlError(f"{type(error).__name__}: {error}"))
        for part in statement.parts:
            part.seconds = part.seconds or time.perf_counter() - began
        self._statements.keep(statement)

    def _run_in(self, statement: Statement, session: "Session") -> None:
        try:
            with self._lock:
                if statement.is_ended:
                    return
                self._sessions[statement.id] = session
                statement.status = "STARTED"
            parameters = {each["name"]: each["value"] for each in statement.parameters}
            results = session.run([part.sql for part in statement.parts], parameters)
            with self._lock:
                for part, result in zip(statement.parts, results, strict=True):
                    part.status, part.result = "FINISHED", result
                statement.status = "FINISHED"
        finally:
            with self._lock:
                self._sessions.pop(statement.id, None)
            session.close()

    def _failed(self, statement: Statement, error: SqlError) -> None:
        with self._lock:
            was_cancelled = statement.status == "ABORTED"
            for number, part in enumerate(statement.parts):
                part.status = "FAILED" if number == error.number and not was_cancelled else "ABORTED"
                part.error = str(error) if number == error.number else None
            place = f"Query #{error.number + 1} failed with " if statement.is_batch else ""
            statement.error = f"{place}{error}"
            if not was_cancelled:
                statement.status = "FAILED"
