"""Which partitions a statement can need: the conditions of its WHEREs that concern keys alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlglot import exp

from sightline_local.cloud.athena.catalog import Table
from sightline_local.cloud.athena.partitions import Values
from sightline_local.cloud.athena.statement import Statement, as_duckdb

# Nothing of these is true of a row that an outer join makes up.
_CONDITIONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Like)
_MAY_TAKE_NULL = (exp.Coalesce, exp.Case, exp.If, exp.Query)

Select = Callable[[str, Sequence[Values]], Iterable[Values]]


def needed(statement: Statement, table: Table, known: Sequence[Values], select: Select) -> set[Values]:
    """`select` gives those of the values for which a condition in DuckDB's SQL is true."""
    chosen: set[Values] = set()
    for condition in _conditions(statement, table):
        if condition is None:
            return set(known)
        chosen.update(select(as_duckdb(condition), known))
    return chosen


def _conditions(statement: Statement, table: Table) -> Iterator[exp.Expr | None]:
    """One per place that names the table; None where it is read as a whole."""
    for reference in statement.query.find_all(exp.Table):
        is_meant = reference.db == table.name.database and reference.name.partition("$")[0] == table.name.name
        if is_meant:
            yield _condition(reference, {key.name for key in table.keys})


def _condition(reference: exp.Table, keys: set[str]) -> exp.Expr | None:
    select = reference.parent.parent if reference.parent else None
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None:
        return None
    parts = where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    found = [_bare(part) for part in parts if _is_about(part, keys, reference.alias)]
    return exp.and_(*found) if found else None


def _is_about(part: exp.Expr, keys: set[str], alias: str) -> bool:
    columns = list(part.find_all(exp.Column))
    return (
        isinstance(part.unnest(), _CONDITIONS)
        and part.find(*_MAY_TAKE_NULL) is None
        and bool(columns)
        and all(each.name.lower() in keys and each.table in ("", alias) for each in columns)
    )


def _bare(part: exp.Expr) -> exp.Expr:
    part = part.copy()
    for column in part.find_all(exp.Column):
        column.set("table", None)
    return part
