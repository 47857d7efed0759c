"""Athena: workgroups and saved queries are kept by moto; a query is not run.

moto would answer canned rows, which nobody must take for an answer.
"""

from typing import Any

from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller

_KEPT = frozenset(
    {
        "BatchGetNamedQuery",
        "CreateNamedQuery",
        "CreateWorkGroup",
        "GetNamedQuery",
        "GetWorkGroup",
        "ListNamedQueries",
        "ListWorkGroups",
    }
)
_RUNS = frozenset({"StartQueryExecution", "GetQueryExecution", "GetQueryResults", "ListQueryExecutions"})


class AthenaService:
    """A `Service` for the gateway that shares its name with moto."""

    def serves(self, operation: str, params: dict[str, Any]) -> bool:  # noqa: ARG002
        return operation not in _KEPT

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002
        if operation in _RUNS:
            raise ServiceError(
                "InvalidRequestException",
                "The local runtime runs no queries of Athena: ask the files in S3, for example with DuckDB",
            )
        raise unknown_operation("athena", operation)
