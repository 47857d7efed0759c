"""A question as Athena takes it, put into DuckDB's words."""

import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.errors import ParseError, TokenError, UnsupportedError

from sightline_cli.errors import CliError


def as_duckdb(sql: str) -> str:
    """One statement of Athena's SQL (Trino's) for DuckDB; CliError says in one line what is wrong with it."""
    statement = _parsed(sql)
    if not isinstance(statement, exp.Query | exp.Describe):
        raise CliError("the lake is only read: begin with SELECT or WITH")
    try:
        return statement.transform(_without_zones).sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise CliError(f"this runs in Athena only: {error}") from error


def _without_zones(node: exp.Expr) -> exp.Expr:
    """All moments of the lake are in UTC; zones would need an extension of DuckDB that is not installed."""
    if isinstance(node, exp.AtTimeZone):
        raise CliError("AT TIME ZONE runs in Athena only: here all moments are in UTC")
    has_zone = isinstance(node, exp.Cast) and node.to.this == exp.DType.TIMESTAMPTZ
    if has_zone or isinstance(node, exp.CurrentTimestamp | exp.FromISO8601Timestamp):
        return exp.Cast(this=node.copy(), to=exp.DataType.build("TIMESTAMP"))
    return node


def _parsed(sql: str) -> exp.Expr:
    try:
        statements = [each for each in sqlglot.parse(sql, read="athena") if each is not None]
    except ParseError as error:
        first = error.errors[0]
        near = f" near {first['highlight']!r}" if first.get("highlight") else ""
        where = f"line {first['line']}, column {first['col']}"
        raise CliError(f"wrong SQL{near} ({where}): {first['description']}") from error
    except TokenError as error:
        raise CliError(f"wrong SQL: {str(error).partition(' from ')[0]}") from error
    if len(statements) != 1:
        raise CliError("there is no SQL in it" if not statements else "one statement at a time, please")
    return statements[0]
