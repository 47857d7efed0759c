"""What a user of a database may do: owners, grants, and the one who may do everything.

https://docs.aws.amazon.com/redshift/latest/dg/r_Database_objects.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift.grants import PUBLIC, Grant, NewUser

if TYPE_CHECKING:
    import duckdb

RIGHTS_TABLES = (
    "CREATE TABLE IF NOT EXISTS main.rights_users (name VARCHAR, password VARCHAR)",
    "CREATE TABLE IF NOT EXISTS main.rights_owners (kind VARCHAR, name VARCHAR, owner VARCHAR)",
    """CREATE TABLE IF NOT EXISTS main.rights_grants (
        kind VARCHAR, name VARCHAR, privilege VARCHAR, grantee VARCHAR)""",
)
_RELATIONS = """SELECT schema_name, temporary FROM (
        SELECT schema_name, table_name, temporary FROM duckdb_tables() UNION ALL
        SELECT schema_name, view_name, temporary FROM duckdb_views() WHERE NOT internal)
    WHERE table_name = $1 ORDER BY temporary DESC, schema_name <> current_schema(), schema_name"""
_SYSTEM = "main"
_OWN: dict[type[exp.Expr], str] = {
    exp.Drop: "drop",
    exp.Alter: "alter",
    exp.TruncateTable: "truncate",
}
_CHANGES: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Insert: ("insert",),
    exp.Update: ("update",),
    exp.Delete: ("delete",),
}


class Rights:
    """Of one user in one session; kept in the database, so that they change with the transaction."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", user: str, *, is_super: bool) -> None:
        self._connection = connection
        self._user = user
        self._is_super = is_super

    def check(self, tree: exp.Expr | None) -> None:
        """SqlError for the first thing in the statement that the user may not."""
        if self._is_super or tree is None:
            return
        for privilege, kind, name in self._needs(tree):
            self._demand(privilege, kind, name)

    def check_insert(self, schema: str, table: str) -> None:
        """What COPY needs."""
        if not self._is_super:
            self._demand("usage", "schema", schema)
            self._demand("insert", "table", f"{schema}.{table}")

    def subjects(self, tree: exp.Expr | None) -> list[tuple[str, str]]:
        """Kind and full name of everything that a CREATE, DROP, ALTER or TRUNCATE is about."""
        if isinstance(tree, exp.Create | exp.Alter):
            targets = [tree.this.this if isinstance(tree.this, exp.Schema) else tree.this]
        elif isinstance(tree, exp.Drop):
            targets = tree.args.get("tables") or [tree.this]
        else:
            targets = tree.expressions if isinstance(tree, exp.TruncateTable) else []
        is_schema = tree is not None and tree.args.get("kind") == "SCHEMA"
        return [
            ("schema", target.db or target.name) if is_schema else ("table", self._full_name(target))
            for target in targets
        ]

    def record(self, tree: exp.Expr | None, subjects: list[tuple[str, str]]) -> None:
        """Who makes something owns it; what is dropped has no owner and no grants any more."""
        if isinstance(tree, exp.Create) and not tree.find(exp.TemporaryProperty):
            for kind, name in subjects:
                if not self._owner(kind, name):
                    self._run("INSERT INTO main.rights_owners VALUES ($1, $2, $3)", kind, name, self._user)
        elif isinstance(tree, exp.Drop):
            for kind, name in subjects:
                self._run("DELETE FROM main.rights_owners WHERE kind = $1 AND name = $2", kind, name)
                self._run("DELETE FROM main.rights_grants WHERE kind = $1 AND name = $2", kind, name)

    def grant(self, wanted: Grant) -> None:
        names = [name for each in wanted.names for name in self._meant(wanted, each)]
        for name in names:
            if not self._is_super and self._owner(wanted.kind, name) != self._user:
                raise SqlError(f"permission denied for {_shown(wanted.kind)} {name.rpartition('.')[2]}")
        for grantee in wanted.grantees:
            if grantee != PUBLIC and not self.knows(grantee):
                raise SqlError(f'user "{grantee}" does not exist')
            for name in names:
                self._change(wanted, name, grantee)

    def add_user(self, new: NewUser) -> None:
        if not self._is_super:
            raise SqlError("permission denied: only superusers create users")
        if self.knows(new.name):
            raise SqlError(f'user "{new.name}" already exists')
        self._run("INSERT INTO main.rights_users VALUES ($1, $2)", new.name, new.password)

    def knows(self, user: str) -> bool:
        return bool(self._rows("SELECT 1 FROM main.rights_users WHERE name = $1", user))

    def _needs(self, tree: exp.Expr) -> Iterator[tuple[str, str, str]]:
        """(privilege, kind, name) of all that a statement touches."""
        if isinstance(tree, exp.Create):
            yield from self._creating(tree)
            if tree.expression is not None:
                yield from self._reading(tree.expression, None)
        elif isinstance(tree, exp.Drop | exp.Alter | exp.TruncateTable):
            yield from ((_OWN[type(tree)], kind, name) for kind, name in self.subjects(tree))
        elif isinstance(tree, exp.Merge):
            target = tree.this
            for privilege in ("select", "insert", "delete" if "DELETE" in tree.sql() else "update"):
                yield from self._on(target, privilege)
            yield from self._reading(tree, target)
        else:
            target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
            for privilege in _CHANGES.get(type(tree), ()):
                yield from self._on(target, privilege)
            yield from self._reading(tree, target if type(tree) in _CHANGES else None)

    def _creating(self, tree: exp.Create) -> Iterator[tuple[str, str, str]]:
        if tree.find(exp.TemporaryProperty):
            return
        for kind, name in self.subjects(tree):
            if kind == "schema":
                yield "create", "database", ""
            else:
                yield "create", "schema", name.partition(".")[0]
            if tree.args.get("replace") and self._owner(kind, name):
                yield "drop", kind, name

    def _reading(self, tree: exp.Expr, target: exp.Expr | None) -> Iterator[tuple[str, str, str]]:
        known = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            if table is not target and (table.db or table.name not in known):
                yield from self._on(table, "select")

    def _on(self, table: exp.Expr, privilege: str) -> Iterator[tuple[str, str, str]]:
        name = self._qualified(table.name, table.text("db"))
        if name is not None:
            yield "usage", "schema", name.partition(".")[0]
            yield privilege, "table", name

    def _demand(self, privilege: str, kind: str, name: str) -> None:
        if kind == "schema" and name == "public" and privilege in ("usage", "create"):
            return
        if name.partition(".")[0] == _SYSTEM or self._owner(kind, name) == self._user:
            return
        found = self._rows(
            "SELECT 1 FROM main.rights_grants WHERE kind = $1 AND name = $2 AND privilege = $3"
            " AND grantee IN ($4, $5)",
            *(kind, name, privilege, self._user, PUBLIC),
        )
        if found:
            return
        shown = name.rpartition(".")[2] or "of this workgroup or cluster"
        if privilege in ("drop", "alter", "truncate"):
            raise SqlError(f"must be owner of {_shown(kind)} {shown}")
        raise SqlError(f"permission denied for {_shown(kind)} {shown}")

    def _full_name(self, table: exp.Expr) -> str:
        """Of a relation that is there, or is about to be."""
        schema = table.text("db")
        return self._qualified(table.name, schema) or f"{schema or self._current_schema()}.{table.name}"

    def _qualified(self, name: str, schema: str) -> str | None:
        """`schema.table` of a relation; None when there is none, or it is the session's own."""
        if schema:
            return f"{schema}.{name}"
        found = self._rows(_RELATIONS, name)
        return None if not found or found[0][1] else f"{found[0][0]}.{name}"

    def _meant(self, wanted: Grant, name: str) -> list[str]:
        if wanted.kind == "database":
            return [""]
        if wanted.everything_in:
            query = "SELECT name FROM main.rights_owners WHERE kind = 'table' AND starts_with(name, $1)"
            return [str(row[0]) for row in self._rows(query, f"{name}.")]
        if wanted.kind == "schema":
            return [name]
        schema, _, table = name.rpartition(".")
        found = self._qualified(table, schema)
        if found is None:
            raise SqlError(f'relation "{name}" does not exist')
        return [found]

    def _change(self, wanted: Grant, name: str, grantee: str) -> None:
        for privilege in wanted.privileges:
            values = (wanted.kind, name, privilege, grantee)
            self._run(
                "DELETE FROM main.rights_grants WHERE kind = $1 AND name = $2 AND privilege = $3"
                " AND grantee = $4",
                *values,
            )
            if wanted.gives:
                self._run("INSERT INTO main.rights_grants VALUES ($1, $2, $3, $4)", *values)

    def _owner(self, kind: str, name: str) -> str | None:
        query = "SELECT owner FROM main.rights_owners WHERE kind = $1 AND name = $2"
        found = self._rows(query, kind, name)
        return str(found[0][0]) if found else None

    def _current_schema(self) -> str:
        return str(self._rows("SELECT current_schema()")[0][0])

    def _rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self._connection.execute(sql, list(values)).fetchall()

    def _run(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, list(values))


def _shown(kind: str) -> str:
    return "relation" if kind == "table" else kind
