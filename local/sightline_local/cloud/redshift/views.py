"""What views hold on to: their tables cannot be dropped from under them, their columns cannot change.

Late-binding views hold on to nothing; they are marked by their comment.
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
"""

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from sightline_local.cloud.redshift.errors import SqlError

if TYPE_CHECKING:
    import duckdb

LATE_BINDING = "late binding"
_VIEWS = """SELECT schema_name, view_name, sql, comment FROM duckdb_views()
    WHERE NOT internal AND schema_name <> 'main'"""
_COLUMNS = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $1 ORDER BY column_index"


class Views:
    """Of the database that the connection leads to."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection

    def check(self, tree: exp.Expr | None, sql: tuple[str, ...]) -> None:
        """SqlError when the statement would break a view; with CASCADE those that hold on are dropped."""
        if isinstance(tree, exp.Drop) and tree.kind in ("TABLE", "VIEW"):
            for table in tree.args.get("tables") or [tree.this]:
                self._let_go(table, str(tree.kind).lower(), cascade=bool(tree.args.get("cascade")))
        elif isinstance(tree, exp.Create) and tree.kind == "VIEW" and tree.args.get("replace"):
            self._check_columns(tree, sql[0])

    def _let_go(self, dropped: exp.Table, kind: str, *, cascade: bool) -> None:
        for view in self._holding(dropped):
            if not cascade:
                raise SqlError(f"cannot drop {kind} {dropped.name} because other objects depend on it")
            self._let_go(view, "view", cascade=True)
            self._connection.execute(f"DROP VIEW IF EXISTS {view.sql('duckdb')}")

    def _holding(self, dropped: exp.Table) -> list[exp.Table]:
        wanted = (dropped.db or "public", dropped.name)
        holding = []
        for schema, name, sql, comment in self._connection.execute(_VIEWS).fetchall():
            query = sqlglot.parse_one(sql, read="duckdb").expression
            named = {(table.db or "public", table.name) for table in query.find_all(exp.Table)}
            if comment != LATE_BINDING and wanted in named:
                holding.append(exp.table_(name, db=schema))
        return holding

    def _check_columns(self, tree: exp.Create, sql: str) -> None:
        before = self._connection.execute(_COLUMNS, [tree.this.name]).fetchall()
        query = sqlglot.parse_one(sql, read="duckdb").expression.sql("duckdb")
        after = [row[:2] for row in self._connection.execute(f"DESCRIBE {query}").fetchall()]
        if before and before != after:
            raise SqlError(f'cannot change the names or types of the columns of view "{tree.this.name}"')
