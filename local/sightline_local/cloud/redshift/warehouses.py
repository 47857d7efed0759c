"""Every warehouse of the runtime: a workgroup with its namespace, or a cluster."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from sightline_local.cloud.clients import Clients
from sightline_local.cloud.redshift.errors import CopyFailed, SqlError
from sightline_local.iam import Caller, Credentials, Sessions, TrustDenied
from sightline_local.state import Facts

if TYPE_CHECKING:  # DuckDB is loaded with the first statement
    from sightline_local.cloud.redshift.database import Database
    from sightline_local.cloud.redshift.session import Session

_JDBC = re.compile(r"jdbc:redshift(?::iam)?://(?P<host>[\w.-]+):(?P<port>\d+)/(?P<database>\w+)(?:\?.*)?")
_FOLDER = "redshift"  # in the data directory
_SERVERLESS = ("redshift-serverless.amazonaws.com", "redshift.amazonaws.com")


@dataclass(frozen=True, slots=True)
class Warehouse:
    """What can be connected to. `storage` names its data: a namespace may be served by another workgroup."""

    name: str
    arn: str
    host: str
    port: int
    storage: str
    database: str
    admin: str
    password: str
    roles: tuple[str, ...] = ()
    default_role: str | None = None
    is_public: bool = False
    is_serverless: bool = True


class Redshift:
    """`serverless` and `clusters` are filled by the services that make them."""

    def __init__(self, sessions: Sessions, clients: Clients, facts: Facts | None = None) -> None:
        self._sessions = sessions
        self._clients = clients
        self._facts = facts or Facts.none()
        self._lock = RLock()
        self._databases: dict[str, Database] = {}
        self._lent: dict[tuple[str, str], str] = {}  # passwords of IAM, by storage and user
        self.find: list[Callable[[str, bool], Warehouse | None]] = []  # by name, serverless or not
        self.storages: list[Callable[[], list[str]]] = []  # whose data there is to be

    def warehouse(self, name: str, *, is_serverless: bool) -> Warehouse | None:
        return next((found for find in self.find if (found := find(name, is_serverless))), None)

    def lend(self, warehouse: Warehouse, caller: Caller) -> tuple[str, str]:
        """User and password of the caller's IAM identity; the administrator of this machine is the admin."""
        if caller.is_admin:
            return self.lend_as(warehouse, warehouse.admin)
        kind, _, rest = (caller.role_arn or caller.arn).rpartition(":")[2].partition("/")
        user = f"{'IAMR' if kind == 'role' else 'IAM'}:{rest.rpartition('/')[2]}"
        return self.lend_as(warehouse, user)

    def lend_as(self, warehouse: Warehouse, user: str) -> tuple[str, str]:
        password = secrets.token_urlsafe(32)
        self._lent[warehouse.storage, user] = password
        return user, password

    def connect(self, warehouse: Warehouse, database: str, user: str, password: str) -> "Session":
        """A session of the user; SqlError when there is no such database or the password is another."""
        return self._connect(warehouse, database, user, password, None)

    def copy(
        self, *, jdbc_url: str, user: str, password: str, statement: str, credentials: Credentials
    ) -> int:
        """Run a COPY as Firehose does, which reads S3 with its own keys; CopyFailed says why it failed."""
        found = _JDBC.fullmatch(jdbc_url)
        if found is None:
            raise CopyFailed(f"{jdbc_url} is no JDBC URL of a Redshift database")
        warehouse = self.warehouse(
            found["host"].partition(".")[0], is_serverless=".redshift-serverless." in found["host"]
        )
        if warehouse is None or warehouse.host != found["host"] or warehouse.port != int(found["port"]):
            raise CopyFailed(f"Redshift at {found['host']}:{found['port']} cannot be reached: there is none")
        if not warehouse.is_public:
            raise CopyFailed(f"Redshift {warehouse.name} cannot be reached: it is not publicly accessible")
        try:
            session = self._connect(warehouse, found["database"], user, password, credentials)
            try:
                return session.run([statement])[0].count
            finally:
                session.close()
        except SqlError as error:
            raise CopyFailed(str(error)) from error

    def homeless(self) -> list[str]:
        """Databases that lie in the data directory and belong to nothing that is there."""
        if self._facts.folder is None:
            return []
        known = {storage for storages in self.storages for storage in storages()}
        files = sorted((self._facts.folder / _FOLDER).glob("*.duckdb"))
        return [f"database of {file.stem}" for file in files if file.stem not in known]

    def close(self) -> None:
        """Close every database; each is whole in its file."""
        with self._lock:
            for database in self._databases.values():
                database.close()
            self._databases.clear()

    def _connect(
        self, warehouse: Warehouse, database: str, user: str, password: str, credentials: Credentials | None
    ) -> "Session":
        from sightline_local.cloud.redshift.session import Session  # noqa: PLC0415  loads DuckDB

        if database != warehouse.database:
            raise SqlError(f'database "{database}" does not exist')
        opened = self._database(warehouse)
        self._check_login(warehouse, opened, user, password)
        is_super = user in (warehouse.admin, f"IAM:{warehouse.admin}")
        if not is_super:
            opened.know(user)

        def copy(session: Session, sql: str) -> int:
            return self._copy(warehouse, session, sql, credentials)

        return Session(opened, user, copy, is_super=is_super)

    def _check_login(self, warehouse: Warehouse, database: "Database", user: str, password: str) -> None:
        own = warehouse.password if user == warehouse.admin else database.password_of(user)
        known = (own, self._lent.get((warehouse.storage, user)))
        if not any(each and secrets.compare_digest(each.encode(), password.encode()) for each in known):
            raise SqlError(f'password authentication failed for user "{user}"')

    def _database(self, warehouse: Warehouse) -> "Database":
        from sightline_local.cloud.redshift.database import Database  # noqa: PLC0415  loads DuckDB

        with self._lock:
            if warehouse.storage not in self._databases:
                file = self._file(warehouse.storage)
                self._databases[warehouse.storage] = Database(
                    warehouse.database, file, is_serverless=warehouse.is_serverless
                )
            return self._databases[warehouse.storage]

    def _file(self, storage: str) -> Path | None:
        if self._facts.folder is None:
            return None
        folder = self._facts.folder / _FOLDER
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder / f"{storage}.duckdb"

    def _copy(
        self, warehouse: Warehouse, session: "Session", sql: str, credentials: Credentials | None
    ) -> int:
        from sightline_local.cloud.redshift.copy_command import read_copy  # noqa: PLC0415  loads sqlglot
        from sightline_local.cloud.redshift.copy_load import run_copy  # noqa: PLC0415  loads DuckDB
        from sightline_local.cloud.redshift.copy_source import S3Files  # noqa: PLC0415

        command = read_copy(sql)
        lent = credentials or self._assume(warehouse, command.role, session.user)
        files = S3Files(self._clients.client("s3", lent))
        return run_copy(session, command, files)

    def _assume(self, warehouse: Warehouse, role: str | None, user: str) -> Credentials:
        """The keys of a role that is the warehouse's own and trusts Redshift."""
        wanted = warehouse.default_role if role == "default" else role
        if wanted is None:
            raise SqlError("COPY needs IAM_ROLE or CREDENTIALS, and a default role for IAM_ROLE default")
        if wanted in warehouse.roles:
            for principal in _SERVERLESS if warehouse.is_serverless else _SERVERLESS[1:]:
                try:
                    return self._sessions.assume(
                        wanted, "RedshiftIamRoleSession", service_principal=principal
                    )
                except TrustDenied:
                    continue
        raise SqlError(f"User {user} is not authorized to assume IAM Role {wanted}")
