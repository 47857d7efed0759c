"""Ways into SUPER: `r.payload.boxes[0].left`, and `FROM rows r, r.payload.boxes b`.

A way that leads nowhere is NULL, as in Redshift's lax mode; values are JSON here.
https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
"""

from collections.abc import Mapping

from sqlglot import exp

EXTRACT, EXTRACT_TEXT = "json_extract", "json_extract_string"
_ITEMS = '["JSON"]'  # a JSON list as a list of DuckDB
SuperColumns = Mapping[str, frozenset[str]]  # table → its columns of the type SUPER


def navigate(tree: exp.Expr, known: SuperColumns) -> exp.Expr:
    """Replace every way into SUPER by what DuckDB has for it; changes the tree."""
    sources = {
        table.alias_or_name: known[table.name] for table in tree.find_all(exp.Table) if table.name in known
    }
    items = {
        column.name
        for unnest in tree.find_all(exp.Unnest)
        for column in (unnest.args["alias"].columns if unnest.args.get("alias") else ())
    }
    for column in list(tree.find_all(exp.Column)):
        _replace(column, sources, items)
    for unnest in tree.find_all(exp.Unnest):
        unnest.set("expressions", [_listed(each) for each in unnest.expressions])
    return tree


def _replace(column: exp.Column, sources: SuperColumns, items: set[str]) -> None:
    names = [part.name for part in column.parts]
    if names[0] in items:
        width = 1
    elif len(names) > 1 and names[1] in sources.get(names[0], ()):
        width = 2
    elif names[0] not in sources and any(names[0] in columns for columns in sources.values()):
        width = 1
    else:
        return
    path = "".join(f'."{name}"' for name in names[width:])
    node: exp.Expr = column
    while (step := _step(node)) is not None and node.parent is not None:
        path += step
        node = node.parent
    if not path and not isinstance(node.parent, exp.Cast):
        return
    base = exp.column(names[width - 1], table=names[0] if width == 2 else None)
    way = exp.Literal.string(f"${path}")
    node.replace(exp.Anonymous(this=EXTRACT, expressions=[base, way]))


def _step(node: exp.Expr) -> str | None:
    """The next step of the way, when the node is the beginning of one."""
    parent = node.parent
    if isinstance(parent, exp.Dot) and parent.this is node:
        return f'."{parent.expression.name}"'
    if isinstance(parent, exp.Bracket) and parent.this is node and len(parent.expressions) == 1:
        return f"[{parent.expressions[0].name}]"
    return None


def _listed(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="from_json", expressions=[value, exp.Literal.string(_ITEMS)])
