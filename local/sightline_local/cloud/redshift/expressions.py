"""Expressions in which Redshift and DuckDB differ, and sqlglot leaves or makes a difference."""

from collections.abc import Callable

from sqlglot import exp

from sightline_local.cloud.redshift.column_type import column_type
from sightline_local.cloud.redshift.errors import SqlError
from sightline_local.cloud.redshift.functions import KNOWN
from sightline_local.cloud.redshift.super_values import EXTRACT, EXTRACT_TEXT


def check_functions(tree: exp.Expr, sql: str) -> None:
    """SqlError for a function that Redshift does not have, or that is not known here."""
    for node in tree.find_all(exp.Func):
        start, end = node.meta.get("start"), node.meta.get("end")
        if start is None or end is None:
            continue  # special syntax, as CAST(x AS y), that sqlglot knows for Redshift
        name = sql[start : end + 1].strip('"').upper()
        if name not in KNOWN:
            raise SqlError(f"function {name.lower()} does not exist, or the local Redshift does not know it")


def as_duckdb(tree: exp.Expr) -> exp.Expr:
    """A copy in which every expression means in DuckDB what it means in Redshift."""
    root = tree.copy()
    for node in reversed(list(root.walk())):  # what is inside first
        if change := _CHANGES.get(type(node)):
            parent, key, index = node.parent, node.arg_key, node.index
            changed = change(node)
            if parent is None or key is None:
                root = changed
            elif changed is not node:
                parent.set(key, changed, index)
    return root


def named_as_redshift_does(tree: exp.Expr) -> exp.Expr:
    """A query whose nameless columns have Redshift's names: `count`, the cast column's, or `?column?`."""
    tree = tree.copy()
    first = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if isinstance(first, exp.Select):
        first.set("expressions", [_named(each) for each in first.expressions])
    return tree


def _named(projection: exp.Expr) -> exp.Expr:
    inner = projection
    while isinstance(inner, exp.Cast | exp.Paren):
        inner = inner.this
    if projection.is_star or isinstance(projection, exp.Alias | exp.Column):
        return projection
    name = "?column?"
    if isinstance(inner, exp.Column):
        name = inner.name
    elif isinstance(inner, exp.Window | exp.Func) and not isinstance(inner, exp.Binary | exp.Cast):
        called = inner.this if isinstance(inner, exp.Window) else inner
        name = (
            "case"
            if isinstance(called, exp.Case)
            else (called.name if called.key == "anonymous" else called.key)
        )
    return exp.alias_(projection, name.lower(), quoted=True)


def _now(_node: exp.Expr) -> exp.Expr:
    """GETDATE() and SYSDATE are timestamps without a zone, in UTC."""
    return exp.Cast(this=exp.Anonymous(this="now"), to=exp.DataType.build("TIMESTAMP"))


def _listagg(node: exp.Expr) -> exp.Expr:
    """LISTAGG(DISTINCT x, ','), of which sqlglot makes a list of pairs."""
    distinct = node.this if isinstance(node.this, exp.Distinct) else None
    order = node.find(exp.Order)
    inner = distinct.expressions[0] if distinct else node.this.this if order else node.this
    separator = node.args.get("separator") or (
        distinct.expressions[1] if distinct and len(distinct.expressions) > 1 else exp.Literal.string("")
    )
    ordered = f" {order.sql('duckdb')}" if order else ""
    text = f"{'DISTINCT ' if distinct else ''}{inner.sql('duckdb')}, {separator.sql('duckdb')}{ordered}"
    return exp.Anonymous(this="listagg", expressions=[exp.Var(this=text)])


def _cast(node: exp.Expr) -> exp.Expr:
    """A cast to VARCHAR(3) cuts, DECIMAL is DECIMAL(18, 0), and what is in SUPER is taken out."""
    written = column_type(node.args["to"])
    inner = node.this
    if isinstance(inner, exp.Anonymous) and inner.name == EXTRACT:
        inner = exp.Anonymous(this=EXTRACT_TEXT, expressions=inner.expressions)
    cast = exp.Cast(this=inner, to=exp.DataType.build(written.duckdb, dialect="duckdb"))
    sized = bool(node.args["to"].expressions)
    if written.duckdb != "VARCHAR" or not sized:
        return cast
    return exp.Left(this=cast, expression=exp.Literal.number(str(written.length)))


def _extract(node: exp.Expr) -> exp.Expr:
    """Seconds since 1970 are whole."""
    if node.name.upper() != "EPOCH":
        return node
    return exp.Cast(this=exp.Floor(this=node), to=exp.DataType.build("BIGINT"))


def _every_match(node: exp.Expr) -> exp.Expr:
    node.set("modifiers", exp.Literal.string("g"))
    return node


_CHANGES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Cast: _cast,
    exp.CurrentTimestamp: _now,
    exp.Extract: _extract,
    exp.GroupConcat: _listagg,
    exp.RegexpReplace: _every_match,
    exp.StrToTime: lambda node: exp.Cast(this=node, to=exp.DataType.build("TIMESTAMPTZ")),
}
