"""What the Data API says of statements and their results."""

from typing import TYPE_CHECKING, Any

from sightline_local.cloud.redshift_data.results import field_of, metadata_of, size_of
from sightline_local.cloud.redshift_data.statements import Part, Statement
from sightline_local.cloud.service import ServiceError

if TYPE_CHECKING:
    from sightline_local.cloud.redshift.session import Result

_ROWS_AT_ONCE = 1000


def summary(statement: Statement) -> dict[str, Any]:
    """An entry of ListStatements."""
    sqls = [part.sql for part in statement.parts]
    return {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": statement.created_at,
        "UpdatedAt": statement.updated_at,
        "IsBatchStatement": statement.is_batch,
        **({"QueryStrings": sqls} if statement.is_batch else {"QueryString": sqls[0]}),
        **({"StatementName": statement.name} if statement.name else {}),
        **({"QueryParameters": statement.parameters} if statement.parameters else {}),
    }


def description(statement: Statement, part: int | None) -> dict[str, Any]:
    """DescribeStatement: of all, or of one part of a batch."""
    if part is not None:
        return {**_common(statement), **_of_part(statement, part)}
    whole = {
        **_common(statement),
        "Id": statement.id,
        "Status": statement.status,
        **({"Error": statement.error} if statement.error else {}),
        **({"QueryParameters": statement.parameters} if statement.parameters else {}),
    }
    if not statement.is_batch:
        return {**_of_part(statement, 0), **whole}
    return {
        **whole,
        "Duration": _nanoseconds(statement.parts[-1]),
        "HasResultSet": any(_has_rows(each) for each in statement.parts),
        "ResultRows": -1,
        "ResultSize": -1,
        "SubStatements": [_of_part(statement, number) for number in range(len(statement.parts))],
    }


def _common(statement: Statement) -> dict[str, Any]:
    place = {name: value for name, value in statement.place.items() if name != "DbUser"}
    return {
        **place,
        "CreatedAt": statement.created_at,
        "UpdatedAt": statement.updated_at,
        "DbUser": statement.user,
        "RedshiftPid": 0,
        "RedshiftQueryId": statement.number,
    }


def _of_part(statement: Statement, number: int) -> dict[str, Any]:
    part = statement.parts[number]
    return {
        "Id": f"{statement.id}:{number + 1}",
        "QueryString": part.sql,
        "Status": part.status,
        "Duration": _nanoseconds(part),
        "HasResultSet": _has_rows(part),
        "ResultRows": _row_count(part),
        "ResultSize": size_of([[field_of(v) for v in row] for row in part.result.rows])
        if part.result
        else -1,
        "CreatedAt": statement.created_at,
        "UpdatedAt": statement.updated_at,
        "RedshiftQueryId": statement.number,
        **({"Error": part.error} if part.error else {}),
    }


def _has_rows(part: Part) -> bool:
    return part.result is not None and part.result.columns is not None


def _row_count(part: Part) -> int:
    if part.result is None:
        return -1
    return len(part.result.rows) if part.result.columns is not None else part.result.count


def _nanoseconds(part: Part) -> int:
    return int(part.seconds * 1_000_000_000)


def result_page(result: "Result", token: str | None) -> dict[str, Any]:
    """Up to 1,000 rows, and the token of the next page."""
    if token and not token.isdigit():
        raise ServiceError("ValidationException", "The NextToken is not one of this result.")
    start = int(token or 0)
    rows = result.rows[start : start + _ROWS_AT_ONCE]
    more = start + _ROWS_AT_ONCE < len(result.rows)
    return {
        "ColumnMetadata": [metadata_of(column) for column in result.columns or ()],
        "Records": [[field_of(value) for value in row] for row in rows],
        "TotalNumRows": len(result.rows),
        **({"NextToken": str(start + _ROWS_AT_ONCE)} if more else {}),
    }
