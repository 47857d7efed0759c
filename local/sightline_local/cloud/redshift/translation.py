"""Statements of Redshift as DuckDB runs them.

sqlglot reads and writes them; what it would let through and Redshift would refuse is refused here, and what
Redshift knows and the local runtime does not is refused by name.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import Token, exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.expressions import as_duckdb, check_functions, named_as_redshift_does
from sightline_local.cloud.redshift.grants import Grant, NewUser, read_grant, read_user
from sightline_local.cloud.redshift.physical import Physical, take_out, tokens_of
from sightline_local.cloud.redshift.super_values import SuperColumns, navigate
from sightline_local.cloud.redshift.syntax import check_syntax
from sightline_local.cloud.redshift.tables import added_column, create_table, table_like
from sightline_local.cloud.redshift.views import LATE_BINDING

# Statements about storage and texts, of which nothing can be seen here.
_WITHOUT_EFFECT = ("ANALYZE", "COMMENT", "VACUUM")
_REFRESH = ("REFRESH", "MATERIALIZED", "VIEW")
_QUERIES = (exp.Select, exp.SetOperation)
_CHANGES = (exp.Insert, exp.Update, exp.Delete)
_DROPS = frozenset(("SCHEMA", "TABLE", "VIEW"))

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused here


@dataclass(frozen=True, slots=True)
class Translated:
    """What DuckDB is to run, one after the other; `gives` is what the last one answers with."""

    verb: str
    sql: tuple[str, ...] = ()
    gives: str = "nothing"  # or "rows", "count"
    creates: exp.Table | None = None  # a table that must not be there yet
    if_not_exists: bool = False
    is_temporary: bool = False
    merges: exp.Merge | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    tree: exp.Expr | None = None  # what the user's rights are checked by
    change: Grant | NewUser | None = None


def translate(
    sql: str,
    parameters: Mapping[str, str],
    *,
    case_sensitive: bool = False,
    super_columns: Callable[[], SuperColumns] = dict,
) -> Translated:
    """Raise SqlError for what Redshift would refuse, NotEmulatedError for what only Redshift can."""
    tokens = _tokens(sql)
    words = first_words(sql, tokens)
    if simple := _without_a_tree(words, tokens):
        return simple
    physical = take_out(sql, tokens) if words[0] in ("CREATE", "ALTER") else Physical(sql)
    tree = _parse(physical.text, words)
    check_syntax(tree)
    check_functions(tree, physical.text)
    dialect = "redshift, normalization_strategy=lowercase" if case_sensitive else "redshift"
    tree = normalize_identifiers(tree, dialect=dialect)
    tree = navigate(_filled_in(tree, parameters), super_columns())
    if isinstance(tree, exp.Create) and tree.kind == "TABLE":
        return replace(_table(tree, physical), tree=tree)
    plain = replace(_plain(words[0], tree), tree=tree)
    if physical.is_late_binding:
        mark = f"COMMENT ON VIEW {tree.this.sql('duckdb')} IS '{LATE_BINDING}'"
        plain = replace(plain, sql=(*plain.sql, mark))
    return plain


def _without_a_tree(words: tuple[str, ...], tokens: list[Token]) -> Translated | None:
    """Statements that sqlglot does not have to understand."""
    if words[0] in _WITHOUT_EFFECT or words == _REFRESH or words[0] == "COPY":
        return Translated(words[0])
    if words[0] == "SET":
        return Translated("SET", settings=_setting(tokens))
    if words[0] in ("GRANT", "REVOKE"):
        return Translated(words[0], change=read_grant(tokens))
    if words[:2] == ("CREATE", "USER"):
        return Translated("CREATE USER", change=read_user(tokens))
    return None


def first_words(sql: str, tokens: list[Token]) -> tuple[str, ...]:
    """Up to three, in capitals; sqlglot takes a statement that it does not know for one long word."""
    return tuple(sql[tokens[0].start :].upper().split(maxsplit=3)[:3])


def _tokens(sql: str) -> list[Token]:
    try:
        return tokens_of(sql)
    except TokenError as error:
        raise SqlError(f"syntax error: {_first_line(error)}") from error


def _parse(sql: str, words: tuple[str, ...]) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(sql, read="redshift")
    except ParseError as error:
        found = error.errors[0]
        near = found.get("highlight") or found.get("start_context", "")[-20:]
        raise SqlError(f'syntax error at or near "{near}"') from error
    if isinstance(tree, exp.Command | exp.Transaction | exp.Commit | exp.Rollback):
        raise NotEmulatedError(f"the statement {' '.join(words[:2])}")
    return tree


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _setting(tokens: list[Token]) -> dict[str, str]:
    """SET name TO value, of the few that mean something here."""
    name = tokens[1].text.lower()
    values = [token.text.lower() for token in tokens[3:] if token.text != ","]
    if name not in ("search_path", "enable_case_sensitive_identifier", "query_group") or not values:
        raise NotEmulatedError(f"the parameter {name}")
    return {name: ",".join(values)}


def _filled_in(tree: exp.Expr, parameters: Mapping[str, str]) -> exp.Expr:
    """Parameters become literals of no type, as in Redshift."""

    def fill(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Placeholder) or not node.name:
            return node
        if node.name not in parameters:
            raise SqlError(f"the parameter :{node.name} has no value")
        return exp.Literal.string(parameters[node.name])

    return tree.transform(fill)


def _table(tree: exp.Create, physical: Physical) -> Translated:
    if_not_exists = bool(tree.args.get("exists"))
    if tree.args.get("replace"):
        raise SqlError('syntax error at or near "REPLACE"')
    if like := tree.find(exp.LikeProperty):
        target, sql = table_like(tree, like)
    elif tree.expression is not None:
        names = [column.alias_or_name for column in tree.expression.selects]
        if "*" not in names:
            physical.check(names)
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        bare = exp.Create(this=tree.this, kind="TABLE", expression=as_duckdb(tree.expression))
        sql = [_temporary(tree, bare.sql("duckdb"))]
    else:
        target, sql = create_table(tree, physical)
        sql = [_temporary(tree, sql[0]), *sql[1:]] if physical.identities == {} else sql
    return Translated(
        "CREATE TABLE",
        tuple(sql),
        creates=target,
        if_not_exists=if_not_exists,
        is_temporary=tree.find(exp.TemporaryProperty) is not None,
    )


def _temporary(tree: exp.Create, sql: str) -> str:
    is_temporary = tree.find(exp.TemporaryProperty) is not None
    return sql.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1) if is_temporary else sql


def _plain(verb: str, tree: exp.Expr) -> Translated:
    if isinstance(tree, _QUERIES):
        return Translated("SELECT", (as_duckdb(named_as_redshift_does(tree)).sql("duckdb"),), "rows")
    if isinstance(tree, exp.Merge):
        _check_merge(tree)
    if isinstance(tree, (exp.Merge, *_CHANGES)):
        merges = tree if isinstance(tree, exp.Merge) else None
        return Translated(verb, (as_duckdb(tree).sql("duckdb"),), "count", merges=merges)
    return _definition(tree)


def _definition(tree: exp.Expr) -> Translated:
    if isinstance(tree, exp.TruncateTable):
        return Translated("TRUNCATE", tuple(f"TRUNCATE {table.sql('duckdb')}" for table in tree.expressions))
    if isinstance(tree, exp.Create) and tree.kind in ("VIEW", "SCHEMA"):
        return Translated(f"CREATE {tree.kind}", (_created(tree),))
    if isinstance(tree, exp.Drop) and tree.kind in _DROPS:
        tree.set("materialized", None)
        return Translated(f"DROP {tree.kind}", (tree.sql("duckdb"),))
    if isinstance(tree, exp.Alter) and tree.args.get("kind") == "TABLE":
        return Translated("ALTER TABLE", _altered(tree))
    raise NotEmulatedError(f"the statement {tree.key.upper()}")


def _created(tree: exp.Create) -> str:
    """A view or a schema; a materialized view is a plain one here, which is never behind."""
    tree = tree.copy()
    tree.set("properties", None)
    if tree.expression is not None:
        tree.set("expression", as_duckdb(tree.expression))
    return tree.sql("duckdb")


def _altered(tree: exp.Alter) -> tuple[str, ...]:
    table = tree.this.sql("duckdb")
    statements: list[str] = []
    for action in tree.args["actions"]:
        if isinstance(action, exp.ColumnDef):
            statements += added_column(table, action)
        elif isinstance(action, exp.Drop | exp.RenameColumn | exp.AlterRename):
            statements.append(f"ALTER TABLE {table} {action.sql('duckdb')}")
        else:
            raise NotEmulatedError(f"ALTER TABLE {action.sql('redshift')}")
    return tuple(statements)


def _check_merge(tree: exp.Merge) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html"""
    if not isinstance(tree.args["using"], exp.Table):
        raise SqlError("the source of MERGE must be a table, not a subquery")
    if tree.this.alias:
        raise SqlError("the target of MERGE cannot have an alias")
    clauses = tree.args["whens"].expressions
    matched = [bool(clause.args.get("matched")) for clause in clauses]
    if sorted(matched) != [False, True]:
        raise SqlError("MERGE needs one WHEN MATCHED and one WHEN NOT MATCHED clause")
    if any(clause.args.get("condition") for clause in clauses):
        raise SqlError("a WHEN clause of MERGE cannot have a condition of its own")
