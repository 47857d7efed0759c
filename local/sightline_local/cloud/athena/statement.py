"""One statement of Athena's SQL (Trino's), and what DuckDB is to run in its place."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import sqlglot
from sqlglot import ErrorLevel, TokenType, exp
from sqlglot.errors import ParseError, TokenError, UnsupportedError
from sqlglot.optimizer.scope import traverse_scope

from sightline_local.cloud.athena.errors import QueryFailed, invalid, not_emulated

CATALOG = "awsdatacatalog"
PLACEHOLDER = TokenType.PLACEHOLDER
HIDDEN = "$path"  # a column that every table has and no star shows
WITH_HIDDEN = "$files"  # what DuckDB calls a table that has it

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused here


@dataclass(frozen=True, slots=True)
class TableName:
    """In lower case, as Glue has them."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{CATALOG}.{self.database}.{self.name}"


@dataclass(frozen=True, slots=True)
class Statement:
    """`query` names its tables with their databases; `target` and `columns` are an INSERT's."""

    query: exp.Query
    tables: tuple[TableName, ...]
    sees_files: bool
    target: TableName | None = None
    columns: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "INSERT" if self.target else "SELECT"

    def duckdb(self) -> str:
        return as_duckdb(self.query)


def parse(sql: str, parameters: Sequence[str]) -> exp.Expr:
    """ServiceError for what is no statement of Athena's, or none that runs here."""
    try:
        filled = _filled_in(sql, parameters)
        statements = [each for each in sqlglot.parse(filled, read="athena") if each is not None]
    except ParseError as error:
        first = error.errors[0]
        near = first.get("highlight") or ""
        raise invalid(f"line {first['line']}:{first['col']}: mismatched input '{near}'") from error
    except TokenError as error:
        raise invalid(f"line 1:1: {str(error).partition(' from ')[0]}") from error
    statements = [each for each in statements if not isinstance(each, exp.Semicolon)]
    if len(statements) != 1:
        raise invalid("Only one sql statement is allowed." if statements else "Query is empty.")
    tree = statements[0]
    if not isinstance(tree, exp.Query | exp.Insert | exp.Values):
        word = sql.split(maxsplit=1)[0].upper()
        raise invalid(f"The local runtime runs SELECT and INSERT INTO of Athena, and no {word}")
    return tree


def _filled_in(sql: str, parameters: Sequence[str]) -> str:
    """Parameters are written as literals, and stand in the order of their question marks."""
    marks = [token for token in sqlglot.tokenize(sql, read="athena") if token.token_type == PLACEHOLDER]
    if len(marks) != len(parameters):
        raise invalid(f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}")
    for mark, text in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[: mark.start]}{_literal(text)}{sql[mark.end + 1 :]}"
    return sql


def _literal(text: str) -> str:
    try:
        value = sqlglot.parse_one(text, read="athena")
    except (ParseError, TokenError) as error:
        raise invalid(f"{text} is no literal; texts need quotes") from error
    if value.find(exp.Query, exp.Column, exp.Placeholder):
        raise invalid(f"{text} is no literal; texts need quotes")
    return text


def statement_of(tree: exp.Expr, database: str | None) -> Statement:
    """QueryFailed for a table whose database nobody names."""
    target, columns, query = None, (), tree
    if isinstance(tree, exp.Insert):
        into = tree.this
        if isinstance(into, exp.Schema):
            columns, into = tuple(each.name.lower() for each in into.expressions), into.this
        target = _name_of(into, database)
        query = _of_insert(tree)
    if isinstance(query, exp.Values):
        query = exp.select("*").from_(exp.Subquery(this=query))
    assert isinstance(query, exp.Query)
    sees_files = any(column.name == HIDDEN for column in query.find_all(exp.Column))
    tables = _qualify(query, database, sees_files=sees_files)
    return Statement(_named(query), tables, sees_files, target, columns)


def _of_insert(tree: exp.Insert) -> exp.Expr:
    if tree.args.get("overwrite"):
        raise not_emulated("INSERT OVERWRITE")
    query = tree.expression
    if tree.args.get("with_"):
        query.set("with_", tree.args["with_"])
    return query  # type: ignore[no-any-return]


def _name_of(table: exp.Table, database: str | None) -> TableName:
    catalog = table.catalog.lower()
    if catalog not in ("", CATALOG):
        raise QueryFailed(f"CATALOG_NOT_FOUND: Catalog '{catalog}' not found")
    name = table.db or database
    if not name:
        raise QueryFailed("MISSING_SCHEMA_NAME: Schema must be specified when session schema is not set")
    return TableName(name.lower(), table.name.lower())


def _qualify(query: exp.Query, database: str | None, *, sees_files: bool) -> tuple[TableName, ...]:
    found: dict[TableName, None] = {}
    for scope in traverse_scope(query):
        tables = {name: each for name, each in scope.sources.items() if _is_table(each)}
        if sees_files:
            _hide(scope.expression, tables)
        for source in tables.values():
            name = _name_of(source, database)
            found[name] = None
            _rename(source, name, WITH_HIDDEN if sees_files else "")
    return tuple(found)


def _is_table(source: object) -> TypeGuard[exp.Table]:
    """Not a name of WITH, nor a table function."""
    return isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)


def _rename(table: exp.Table, name: TableName, ending: str) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("catalog", None)
    table.set("db", exp.to_identifier(name.database, quoted=True))
    table.set("this", exp.to_identifier(name.name + ending, quoted=True))


def _hide(select: exp.Expr, tables: Mapping[str, exp.Table]) -> None:
    """Stars that show tables, or one of them, do not show its hidden column."""
    for projection in select.expressions if isinstance(select, exp.Select) and tables else ():
        star = projection.this if isinstance(projection, exp.Column) else projection
        of_table = not isinstance(projection, exp.Column) or projection.table in tables
        if isinstance(star, exp.Star) and of_table:
            star.set("except_", [exp.to_identifier(HIDDEN, quoted=True)])


def _named(query: exp.Query) -> exp.Query:
    """Columns without a name are `_col0` and so on, by their place; names are in lower case."""
    first: exp.Expr = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if isinstance(first, exp.Select):
        first.set("expressions", [_with_name(each, n) for n, each in enumerate(first.expressions)])
    return query


def _with_name(projection: exp.Expr, number: int) -> exp.Expr:
    if isinstance(projection, exp.Alias):
        projection.set("alias", exp.to_identifier(projection.alias.lower(), quoted=True))
        return projection
    if isinstance(projection, exp.Column) or projection.is_star:
        return projection
    return exp.alias_(projection, f"_col{number}", quoted=True)


def as_duckdb(tree: exp.Expr) -> str:
    """QueryFailed for what only Athena can."""
    try:
        return tree.transform(_without_zones).sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise not_emulated(str(error)) from error


def _without_zones(node: exp.Expr) -> exp.Expr:
    """All moments of the tables are in UTC, and so is the session."""
    if isinstance(node, exp.AtTimeZone):
        raise not_emulated("AT TIME ZONE")
    has_zone = isinstance(node, exp.Cast) and node.to.this == exp.DType.TIMESTAMPTZ
    if has_zone or isinstance(node, exp.CurrentTimestamp | exp.FromISO8601Timestamp):
        return exp.Cast(this=node.copy(), to=exp.DataType.build("TIMESTAMP"))
    return node
