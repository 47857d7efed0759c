"""The operations of athena that run queries; workgroups and saved queries are kept by moto.

https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from sightline_local.cloud.athena.descriptions import description, result_page
from sightline_local.cloud.athena.errors import QueryFailed, invalid
from sightline_local.cloud.athena.executions import QueryExecution, QueryExecutions
from sightline_local.cloud.athena.files import Bucket
from sightline_local.cloud.athena.workgroups import (
    DEFAULT,
    configuration_of,
    output_of,
    workgroup_of_named_query,
)
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.service import unknown_operation
from sightline_local.iam import Caller, Sessions
from sightline_local.state import Facts

if TYPE_CHECKING:
    from sightline_local.cloud.athena.runs import Rights, Runs

_KEPT_BY_MOTO = frozenset(
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
_IDS_AT_ONCE, _ROWS_AT_ONCE = 50, 1000
_CATALOG = "awsdatacatalog"

Params = dict[str, Any]


class AthenaService:
    """A `Service` for the gateway that shares its name with moto."""

    def __init__(
        self, sessions: Sessions, clients: Clients, now: Callable[[], datetime], facts: Facts | None = None
    ) -> None:
        self._sessions = sessions
        self._clients = clients
        self._now = now
        self._executions = QueryExecutions(facts or Facts.none(), now)
        self._lock = Lock()
        self._started: Runs | None = None
        self._operations: dict[str, Callable[[Params, Caller], Params]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._get_many,
            "GetQueryResults": self._results,
            "ListQueryExecutions": self._list,
            "StopQueryExecution": self._stop,
        }

    def serves(self, operation: str, params: Params) -> bool:  # noqa: ARG002
        return operation not in _KEPT_BY_MOTO

    def handle(self, operation: str, params: Params, caller: Caller) -> Params:
        if operation not in self._operations:
            raise unknown_operation("athena", operation)
        check_input("athena", operation, params, error="InvalidRequestException")
        return self._operations[operation](params, caller)

    def resolve(self, operation: str, params: Params) -> Params:  # noqa: ARG002
        """For IAM: whatever is asked for is asked of a workgroup."""
        account, region = self._sessions.account, self._sessions.region
        ids = [*params.get("QueryExecutionIds", []), params.get("QueryExecutionId")]
        queries = [*params.get("NamedQueryIds", []), params.get("NamedQueryId")]
        groups = [self._executions.get(each).workgroup for each in ids if each]
        groups += [workgroup_of_named_query(account, region, each) for each in queries if each]
        named = params.get("WorkGroup") or params.get("Name") or DEFAULT
        return {"WorkGroups": sorted(set(groups)) or [named]}

    def close(self) -> None:
        """End the queries that run."""
        if self._started is not None:
            self._started.close()

    def _runs(self) -> "Runs":
        from sightline_local.cloud.athena.runs import Runs  # noqa: PLC0415  DuckDB, which most stacks do not need

        with self._lock:
            self._started = self._started or Runs(self._executions, self._now)
            return self._started

    def _start(self, params: Params, caller: Caller) -> Params:
        from sightline_local.cloud.athena.statement import parse  # noqa: PLC0415

        if params.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {}).get("Enabled"):
            raise invalid("The local runtime reuses no answers")
        context = params.get("QueryExecutionContext", {})
        if context.get("Catalog", _CATALOG).lower() != _CATALOG:
            raise invalid(f"Catalog {context['Catalog']} is not found: the local runtime has Glue's only")
        workgroup, parameters = params.get("WorkGroup", DEFAULT), params.get("ExecutionParameters", [])
        configuration = configuration_of(self._sessions.account, self._sessions.region, workgroup)
        output = output_of(configuration, params.get("ResultConfiguration", {}))
        tree = parse(params["QueryString"], parameters)
        execution = QueryExecution(
            query=params["QueryString"],
            kind="INSERT" if tree.key == "insert" else "SELECT",
            workgroup=workgroup,
            output=output.location,
            encryption=dict(output.encryption),
            submitted_at=self._now(),
            database=context.get("Database"),
            catalog=context.get("Catalog"),
            parameters=parameters,
            scan_limit=configuration.get("BytesScannedCutoffPerQuery"),
        )
        kept = self._executions.add(execution, params.get("ClientRequestToken"), params)
        if kept is execution:
            self._runs().submit(execution, tree, self._rights(caller))
        return {"QueryExecutionId": kept.id}

    def _rights(self, caller: Caller) -> "Rights":
        from sightline_local.cloud.athena.runs import Rights  # noqa: PLC0415

        return Rights(self._client("glue", caller), self._client("s3", caller))

    def _client(self, service: str, caller: Caller) -> Any:
        return self._clients.client(service, self._sessions.credentials_of(caller.access_key))

    def _get(self, params: Params, _caller: Caller) -> Params:
        return {"QueryExecution": description(self._executions.get(params["QueryExecutionId"]))}

    def _get_many(self, params: Params, _caller: Caller) -> Params:
        found = [self._executions.get(each) for each in params["QueryExecutionIds"]]
        return {"QueryExecutions": [description(each) for each in found], "UnprocessedQueryExecutionIds": []}

    def _results(self, params: Params, caller: Caller) -> Params:
        execution = self._executions.get(params["QueryExecutionId"])
        if not execution.is_ended:
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        content = self._read(execution.answer_url, caller)
        limit = params.get("MaxResults", _ROWS_AT_ONCE)
        return result_page(execution, content, params.get("NextToken"), limit)

    def _read(self, url: str, caller: Caller) -> bytes:
        try:
            return Bucket(self._client("s3", caller)).read(url)
        except QueryFailed as error:
            raise invalid(f"Could not find or read results: {error.reason}") from error

    def _list(self, params: Params, _caller: Caller) -> Params:
        ids, token = self._executions.ids(params.get("WorkGroup", DEFAULT)), params.get("NextToken", "0")
        if not token.isdigit():
            raise invalid("The NextToken is not one of this operation.")
        end = int(token) + params.get("MaxResults", _IDS_AT_ONCE)
        more = {"NextToken": str(end)} if end < len(ids) else {}
        return {"QueryExecutionIds": ids[int(token) : end], **more}

    def _stop(self, params: Params, _caller: Caller) -> Params:
        self._runs().cancel(self._executions.get(params["QueryExecutionId"]))
        return {}
