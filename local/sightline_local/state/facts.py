"""State as facts: small pieces of bytes by kind and key, in one SQLite file.

    facts.put("dynamodb.item", "devices/gate-3", b"...")
    for key, value in facts.all("dynamodb.item", prefix="devices/"): ...

A fact is there for good when its call returns: kill -9 at any moment loses none of them and leaves none in
half. Only a machine that loses power may lose the last seconds, because no fact waits for the disk.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock

from sightline_local.errors import LocalRuntimeError

_SETTINGS = (
    "PRAGMA locking_mode = EXCLUSIVE",  # one process per data directory, so no shared memory is needed
    "PRAGMA journal_mode = WAL",
    # What was written outlives the process in the system's page cache; the disk is waited for only when the
    # log goes into the file, so that a power cut takes the last seconds and never the file.
    "PRAGMA synchronous = NORMAL",
)
_TABLE = (
    "CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key))"
)
_PUT = "INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_DELETE = "DELETE FROM facts WHERE kind = ? AND key = ?"
_GET = "SELECT value FROM facts WHERE kind = ? AND key = ?"
_ALL = "SELECT key, value FROM facts WHERE kind = ? AND key >= ? AND key < ? ORDER BY key"
_LAST = chr(0x10FFFF)  # after everything that a key holds


class FactsNotKeptError(LocalRuntimeError):
    """A change could not be kept, so it must not be acknowledged; nothing of it was written."""


class Facts:
    """Safe for threads. Every method is durable against the death of the process when it returns."""

    keeps = True

    def __init__(self, file: Path) -> None:
        """Open or make the file; sqlite3.DatabaseError if it is no database or is damaged."""
        self._file = file
        self._lock = RLock()
        self._depth = 0
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=64)
        try:
            for statement in (*_SETTINGS, _TABLE):
                self._db.execute(statement)
        except BaseException:
            self._db.close()
            raise

    @staticmethod
    def none() -> "Facts":
        """The facts of a runtime without a data directory: nothing is kept, nothing is found."""
        return _NoFacts()

    @property
    def folder(self) -> Path | None:
        """Where files of the keepers may lie: large blobs, each written before its fact; None: nowhere."""
        return self._file.parent

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep the value, in place of the one that the key had."""
        with self.transaction():
            self._db.execute(_PUT, (kind, key, value))

    def put_many(self, kind: str, items: Iterable[tuple[str, bytes]]) -> None:
        """Keep all of them or, when this raises, none."""
        with self.transaction():
            self._db.executemany(_PUT, ((kind, key, value) for key, value in items))

    def delete(self, kind: str, keys: Iterable[str]) -> None:
        """Forget these, all or none; a key without a fact is no error."""
        with self.transaction():
            self._db.executemany(_DELETE, ((kind, key) for key in keys))

    def get(self, kind: str, key: str) -> bytes | None:
        with self._lock, _told(self._file):
            row = self._db.execute(_GET, (kind, key)).fetchone()
        return None if row is None else bytes(row[0])

    def all(self, kind: str, prefix: str = "") -> list[tuple[str, bytes]]:
        """The facts of a kind whose keys begin with `prefix`, ordered by key."""
        with self._lock, _told(self._file):
            rows = self._db.execute(_ALL, (kind, prefix, prefix + _LAST)).fetchall()
        return [(str(key), bytes(value)) for key, value in rows]

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes, all or nothing; other threads wait. Those inside one belong to the outer one."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _told(self._file):
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                self._depth -= 1
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Write it all into the one file; a later call of anything but `close` raises."""
        with self._lock:
            self._db.close()


class _NoFacts(Facts):
    keeps = False

    def __init__(self) -> None:
        """Open nothing."""

    @property
    def folder(self) -> Path | None:
        return None

    def put(self, kind: str, key: str, value: bytes) -> None: ...

    def put_many(self, kind: str, items: Iterable[tuple[str, bytes]]) -> None: ...

    def delete(self, kind: str, keys: Iterable[str]) -> None: ...

    def get(self, kind: str, key: str) -> bytes | None:  # noqa: ARG002
        return None

    def all(self, kind: str, prefix: str = "") -> list[tuple[str, bytes]]:  # noqa: ARG002
        return []

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None: ...


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """SQLite's errors in the words of the user."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_WRITE")
        reason = "no space left on the disk" if full else str(error)
        raise FactsNotKeptError(f"{file.parent}: {reason}") from error
