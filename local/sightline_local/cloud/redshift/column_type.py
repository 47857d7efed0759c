"""The types of Redshift's columns, and what DuckDB has in their place.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from dataclasses import dataclass

from sqlglot import exp

from sightline_local.cloud.redshift.errors import SqlError

_PLAIN = {
    "SMALLINT": ("smallint", "SMALLINT"),
    "INT": ("integer", "INTEGER"),
    "BIGINT": ("bigint", "BIGINT"),
    "FLOAT": ("real", "REAL"),
    "DOUBLE": ("double precision", "DOUBLE"),
    "BOOLEAN": ("boolean", "BOOLEAN"),
    "DATE": ("date", "DATE"),
    "TIMESTAMP": ("timestamp", "TIMESTAMP"),
    "TIMESTAMPTZ": ("timestamptz", "TIMESTAMPTZ"),
    "TIME": ("time", "TIME"),
    "SUPER": ("super", "JSON"),
}
# name, length without a given one, longest
_TEXT = {
    "CHAR": ("char", 1, 4096),
    "NCHAR": ("char", 1, 4096),
    "BPCHAR": ("char", 256, 256),
    "VARCHAR": ("varchar", 256, 65535),
    "NVARCHAR": ("varchar", 256, 65535),
    "TEXT": ("varchar", 256, 256),
}


@dataclass(frozen=True, slots=True)
class ColumnType:
    """`declared` is how Redshift describes it: varchar(256), numeric(18,0), super."""

    declared: str
    duckdb: str
    length: int | None = None  # longest value in bytes

    @property
    def name(self) -> str:
        return self.declared.partition("(")[0]

    @property
    def scale(self) -> int:
        return int(self.declared.rpartition(",")[2].rstrip(")")) if self.name == "numeric" else 0


def column_type(written: exp.DataType) -> ColumnType:
    """The type of a column as it is written in a CREATE or ALTER TABLE; SqlError for one that is none."""
    kind = str(written.this.value if hasattr(written.this, "value") else written.this).upper()
    sizes = [parameter.this.name for parameter in written.expressions]
    if kind in _PLAIN:
        return ColumnType(*_PLAIN[kind])
    if kind == "DECIMAL":
        precision, scale = [*(int(size) for size in sizes), 18, 0][:2] if sizes else (18, 0)
        if len(sizes) == 1:
            scale = 0
        if not 0 < precision <= 38 or scale > precision:
            raise SqlError(f"NUMERIC precision {precision} must be between 1 and 38")
        return ColumnType(f"numeric({precision},{scale})", f"DECIMAL({precision},{scale})")
    if kind in _TEXT:
        name, usual, longest = _TEXT[kind]
        length = usual if not sizes else longest if sizes[0].upper() == "MAX" else int(sizes[0])
        if length > longest:
            raise SqlError(f"length for type {name} cannot exceed {longest}")
        return ColumnType(f"{name}({length})", "VARCHAR", length)
    raise SqlError(f'type "{written.sql("redshift").lower()}" does not exist')


# What DuckDB calls the types of tables that were made by CREATE TABLE AS.
_OF_DUCKDB = {duckdb: declared for declared, duckdb in _PLAIN.values()} | {
    "FLOAT": "real",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "HUGEINT": "numeric(38,0)",
}


def type_of_duckdb(duckdb: str, declared: str | None) -> ColumnType:
    """The type of a column that exists: as it was declared, or what fits what DuckDB holds."""
    if declared:
        text = declared.partition("(")[0] in ("char", "varchar")
        return ColumnType(declared, duckdb, int(declared[:-1].partition("(")[2]) if text else None)
    if duckdb.startswith("DECIMAL"):
        return ColumnType(duckdb.replace("DECIMAL", "numeric"), duckdb)
    if duckdb in _OF_DUCKDB:
        return ColumnType(_OF_DUCKDB[duckdb], duckdb)
    return ColumnType("varchar(65535)", duckdb, 65535)
