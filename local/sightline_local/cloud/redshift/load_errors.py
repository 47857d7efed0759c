"""Where COPY lists the rows that it could not load.

https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# The codes of the load error reference that can come up here.
OUT_OF_RANGE = 1204
BAD_DATE = 1205
BAD_TIMESTAMP = 1206
BAD_DIGIT = 1207
BAD_FLOAT = 1208
BAD_DECIMAL = 1209
BAD_BOOLEAN = 1210
MISSING_NOT_NULL = 1213
BAD_CHAR = 1215
BAD_LINE = 1216
BAD_UTF8 = 1220

SYSTEM_TABLES = (
    "CREATE SEQUENCE IF NOT EXISTS main.query_ids START 1000",
    """CREATE TABLE IF NOT EXISTS main.sys_load_error_detail (
        user_id INTEGER, query_id BIGINT, transaction_id BIGINT, session_id INTEGER, database_name VARCHAR,
        table_id INTEGER, start_time TIMESTAMP, file_name VARCHAR, line_number BIGINT, column_name VARCHAR,
        column_type VARCHAR, column_length VARCHAR, position INTEGER, error_code INTEGER,
        error_message VARCHAR)""",
)
# A provisioned cluster has the older table too; a serverless workgroup has not.
CLUSTER_VIEW = """CREATE OR REPLACE VIEW main.stl_load_errors AS SELECT
    user_id AS userid, 0 AS slice, table_id AS tbl, start_time AS starttime, session_id AS session,
    query_id AS query, file_name AS filename, line_number, column_name AS colname, column_type AS type,
    column_length AS col_length, position, '' AS raw_line, '' AS raw_field_value, error_code AS err_code,
    error_message AS err_reason FROM main.sys_load_error_detail"""


@dataclass(frozen=True, slots=True)
class LoadError:
    """One value, or one whole line, that COPY did not take."""

    query_id: int
    table_id: int
    started_at: datetime
    file: str
    line: int
    column: str
    column_type: str
    column_length: str
    position: int
    code: int
    reason: str


def write_load_errors(
    connection: "duckdb.DuckDBPyConnection", database: str, errors: Sequence[LoadError]
) -> None:
    rows = [
        (
            *(
                100,
                e.query_id,
                e.query_id,
                1,
                database,
                e.table_id,
                e.started_at.replace(tzinfo=None),
                e.file,
            ),
            *(e.line, e.column, e.column_type, e.column_length, e.position, e.code, e.reason),
        )
        for e in errors
    ]
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO main.sys_load_error_detail VALUES ({places})", rows)  # noqa: S608
