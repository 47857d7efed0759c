"""One database of a warehouse, held by DuckDB: in a file of the data directory, or in memory.

One statement runs at a time. Redshift runs several and refuses those that it cannot put in an order; here
they have one.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb

from sightline_local.cloud.redshift.functions import MACROS
from sightline_local.cloud.redshift.load_errors import (
    CLUSTER_VIEW,
    SYSTEM_TABLES,
    LoadError,
    write_load_errors,
)
from sightline_local.cloud.redshift.messages import told
from sightline_local.cloud.redshift.rights import RIGHTS_TABLES

_SETTINGS: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,  # no statement reads a file of this machine
    "threads": 2,
}
_GLOBALS = (
    "CREATE SCHEMA IF NOT EXISTS public",
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL integer_division = true",
    "SET GLOBAL python_enable_replacements = false",  # no statement reads a variable of this process
)
_KNOW_USER = """INSERT INTO main.rights_users SELECT $1, NULL
    WHERE NOT EXISTS (SELECT 1 FROM main.rights_users WHERE name = $1)"""


class Database:
    """Open until `close`; SqlError when the file cannot be opened."""

    def __init__(self, name: str, file: Path | None = None, *, is_serverless: bool = True) -> None:
        self.name = name
        self.error_table = "sys_load_error_detail" if is_serverless else "stl_load_errors"
        self.turn = RLock()
        with told():
            self._root = duckdb.connect(str(file) if file else ":memory:", config=_SETTINGS)
        for statement in (*_GLOBALS, *SYSTEM_TABLES, *RIGHTS_TABLES, *MACROS):
            self._root.execute(statement)
        if not is_serverless:
            self._root.execute(CLUSTER_VIEW)

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = self._root.cursor()
        connection.execute("SET search_path = 'public,main'")
        return connection

    def password_of(self, user: str) -> str | None:
        """Of a user that CREATE USER made with one."""
        query = "SELECT password FROM main.rights_users WHERE name = $1"
        with self.turn:
            row = self._root.execute(query, [user]).fetchone()
        return None if row is None else row[0]

    def know(self, user: str) -> None:
        """A user of IAM is there from its first connection on."""
        with self.turn:
            self._root.execute(_KNOW_USER, [user])

    def keep_load_errors(self, errors: Sequence[LoadError]) -> None:
        """Outside of every transaction: a COPY that is undone leaves its errors."""
        with self.turn:
            write_load_errors(self._root, self.name, errors)

    def close(self) -> None:
        self._root.close()
