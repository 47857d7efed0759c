"""CREATE TABLE: columns with their types and rules; what only Redshift's planner reads is left out.

PRIMARY KEY, UNIQUE and REFERENCES are not enforced by Redshift, so they must not be here. The length of a
text is, and DuckDB does not do it, so it becomes a CHECK. How a column was declared is kept as its comment.
"""

from sqlglot import exp

from sightline_local.cloud.redshift.column_type import ColumnType, column_type
from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.expressions import as_duckdb
from sightline_local.cloud.redshift.physical import Physical

_UNENFORCED = (
    exp.PrimaryKeyColumnConstraint,
    exp.UniqueColumnConstraint,
    exp.Reference,
    exp.PrimaryKey,
    exp.ForeignKey,
    exp.Constraint,
)


def create_table(tree: exp.Create, physical: Physical) -> tuple[exp.Table, list[str]]:
    """The table's name, and the statements that make it."""
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        raise SqlError("a table must have columns")
    table: exp.Table = schema.this
    columns = [item for item in schema.expressions if isinstance(item, exp.ColumnDef)]
    _check_rest(schema, columns)
    physical.check(column.name for column in columns)
    keys = _primary_key(schema)
    made = [_Column(column, table, physical, is_key=column.name in keys) for column in columns]
    name = table.sql("duckdb")
    sequences = [column.sequence for column in made if column.sequence]
    inner = ", ".join(column.sql for column in made)
    return table, [*sequences, f"CREATE TABLE {name} ({inner})", *(c.comment for c in made)]


def table_like(tree: exp.Create, like: exp.Expr) -> tuple[exp.Table, list[str]]:
    """CREATE TABLE a (LIKE b): the columns without their defaults."""
    table: exp.Table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    temporary = "TEMPORARY " if tree.find(exp.TemporaryProperty) else ""
    pattern = like.this.sql("duckdb")
    return table, [f"CREATE {temporary}TABLE {table.sql('duckdb')} AS FROM {pattern} LIMIT 0"]


def added_column(table: str, column: exp.ColumnDef) -> list[str]:
    """ALTER TABLE ... ADD COLUMN."""
    written = column_type(column.args["kind"])
    name = column.this.sql("duckdb")
    default = next((f" DEFAULT {_default(c)}" for c in column.constraints if _is_default(c)), "")
    if any(isinstance(c.kind, exp.NotNullColumnConstraint) for c in column.constraints) and not default:
        raise SqlError("ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")
    return [
        f"ALTER TABLE {table} ADD COLUMN {name} {written.duckdb}{default}",
        _comment(f"{table}.{name}", written),
    ]


class _Column:
    def __init__(self, column: exp.ColumnDef, table: exp.Table, physical: Physical, *, is_key: bool) -> None:
        self._type = column_type(column.args["kind"])
        self._name = column.this.sql("duckdb")
        self._table = table
        self.sequence = ""
        self.comment = _comment(f"{table.sql('duckdb')}.{self._name}", self._type)
        parts = [self._name, self._type.duckdb]
        if column.name in physical.identities:
            parts.append(self._counted(column.name, *physical.identities[column.name]))
        for constraint in column.constraints:
            parts.append(self._rule(constraint))
            is_key |= isinstance(constraint.kind, exp.PrimaryKeyColumnConstraint)
        if is_key and "NOT NULL" not in parts:
            parts.append("NOT NULL")
        if self._type.length:
            parts.append(f"CHECK (strlen({self._name}) <= {self._type.length})")
        self.sql = " ".join(part for part in parts if part)

    def _counted(self, column: str, seed: int, step: int) -> str:
        sequence = "_".join([part.name for part in self._table.parts] + [column, "seq"])
        self.sequence = f"CREATE OR REPLACE SEQUENCE main.{sequence} START {seed} INCREMENT {step}"
        return f"DEFAULT nextval('main.{sequence}')"

    def _rule(self, constraint: exp.ColumnConstraint) -> str:
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint):
            return "" if kind.args.get("allow_null") else "NOT NULL"
        if isinstance(kind, exp.DefaultColumnConstraint):
            return f"DEFAULT {_default(constraint)}"
        if isinstance(kind, _UNENFORCED):
            return ""
        raise NotEmulatedError(f"the column attribute {constraint.sql('redshift')}")


def _is_default(constraint: exp.ColumnConstraint) -> bool:
    return isinstance(constraint.kind, exp.DefaultColumnConstraint)


def _default(constraint: exp.ColumnConstraint) -> str:
    return as_duckdb(constraint.kind.this).sql("duckdb")


def _comment(place: str, written: ColumnType) -> str:
    return f"COMMENT ON COLUMN {place} IS '{written.declared}'"


def _primary_key(schema: exp.Schema) -> set[str]:
    return {item.name for key in schema.find_all(exp.PrimaryKey) for item in key.expressions}


def _check_rest(schema: exp.Schema, columns: list[exp.ColumnDef]) -> None:
    names = [column.name for column in columns]
    for item in schema.expressions:
        if not isinstance(item, (exp.ColumnDef, *_UNENFORCED)):
            raise NotEmulatedError(f"the table attribute {item.sql('redshift')}")
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f'column "{name}" duplicated')
