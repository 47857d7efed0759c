"""What sqlglot reads and DuckDB runs, and Redshift has not.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
"""

from collections.abc import Callable

from sqlglot import exp

from sightline_local.cloud.redshift.errors import SqlError

_UNKNOWN: dict[type[exp.Expr], str] = {
    exp.Array: "ARRAY",
    exp.Filter: "FILTER",
    exp.Lambda: "->",
    exp.Lateral: "LATERAL",
    exp.NullSafeEQ: "DISTINCT",
    exp.NullSafeNEQ: "DISTINCT",
    exp.OnConflict: "ON CONFLICT",
    exp.Returning: "RETURNING",
    exp.Struct: "{",
    exp.TableSample: "TABLESAMPLE",
}


def _is_a_table(node: exp.Expr) -> bool:
    return not isinstance(node.parent, exp.Insert)


# These are Redshift's too, in another place or form.
_IN_PART: dict[type[exp.Expr], tuple[Callable[[exp.Expr], bool], str]] = {
    exp.Distinct: (lambda node: bool(node.args.get("on")), "DISTINCT ON"),
    exp.Except: (lambda node: not node.args.get("distinct"), "EXCEPT ALL"),
    exp.Intersect: (lambda node: not node.args.get("distinct"), "INTERSECT ALL"),
    exp.Select: (lambda node: bool(node.args.get("windows")), "WINDOW"),
    exp.Values: (_is_a_table, "VALUES"),
}


def check_syntax(tree: exp.Expr) -> None:
    """SqlError for the first thing that Redshift's parser would not take."""
    for node in tree.walk():
        word = _UNKNOWN.get(type(node))
        applies, known_as = _IN_PART.get(type(node), (None, ""))
        if applies is not None and applies(node):
            word = known_as
        if word:
            raise SqlError(f'syntax error at or near "{word}"')
