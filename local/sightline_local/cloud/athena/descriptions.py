"""What Athena says of queries and their answers."""

from typing import Any

from sightline_local.cloud.athena.answer import column_info, rows_of
from sightline_local.cloud.athena.errors import invalid
from sightline_local.cloud.athena.executions import QueryExecution

_VERSION = "Athena engine version 3"
_ROWS_AT_ONCE = 1000


def description(execution: QueryExecution) -> dict[str, Any]:
    """A QueryExecution."""
    context = {"Database": execution.database, "Catalog": execution.catalog}
    encryption = {"EncryptionConfiguration": execution.encryption} if execution.encryption else {}
    return {
        "QueryExecutionId": execution.id,
        "Query": execution.query,
        "StatementType": "DML",
        "SubstatementType": execution.kind,
        "ResultConfiguration": {"OutputLocation": execution.answer_url, **encryption},
        "QueryExecutionContext": {name: value for name, value in context.items() if value},
        "Status": _status(execution),
        "Statistics": _statistics(execution),
        "WorkGroup": execution.workgroup,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": _VERSION},
        **({"ExecutionParameters": execution.parameters} if execution.parameters else {}),
    }


def _status(execution: QueryExecution) -> dict[str, Any]:
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted_at}
    if execution.completed_at is not None:
        status["CompletionDateTime"] = execution.completed_at
    if execution.reason is not None:
        status["StateChangeReason"] = execution.reason
    if execution.reason is not None and execution.state == "FAILED":
        status["AthenaError"] = {
            "ErrorCategory": execution.category or 1,
            "Retryable": False,
            "ErrorMessage": execution.reason,
        }
    return status


def _statistics(execution: QueryExecution) -> dict[str, Any]:
    return {
        "EngineExecutionTimeInMillis": execution.ran,
        "DataScannedInBytes": execution.scanned,
        "TotalExecutionTimeInMillis": execution.queued + execution.ran,
        "QueryQueueTimeInMillis": execution.queued,
        **({"DataManifestLocation": execution.manifest} if execution.manifest else {}),
    }


def result_page(execution: QueryExecution, content: bytes, token: str | None, limit: int) -> dict[str, Any]:
    """Rows of an answer's file; the first row of the first page has the names of the columns."""
    if token and not token.isdigit():
        raise invalid("The NextToken is not one of this query.")
    rows, start = list(rows_of(content)), int(token or 0)
    end = start + min(limit, _ROWS_AT_ONCE)
    return {
        "UpdateCount": execution.updated or 0,
        "ResultSet": {
            "Rows": [{"Data": [_datum(value) for value in row]} for row in rows[start:end]],
            "ResultSetMetadata": {"ColumnInfo": [column_info(*column) for column in execution.columns]},
        },
        **({"NextToken": str(end)} if end < len(rows) else {}),
    }


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}
