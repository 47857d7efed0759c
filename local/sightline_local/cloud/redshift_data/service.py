"""The operations of redshift-data that the local runtime has.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/Welcome.html
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sightline_local.cloud.clients import Clients
from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.redshift import Redshift, Warehouse
from sightline_local.cloud.redshift_data.descriptions import description, result_page, summary
from sightline_local.cloud.redshift_data.runs import Runs
from sightline_local.cloud.redshift_data.statements import Part, Statement, Statements
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller, Sessions
from sightline_local.state import Facts

if TYPE_CHECKING:
    from sightline_local.cloud.redshift.session import Session

_REFUSED = ("SessionId", "SessionKeepAliveSeconds", "WithEvent")
_PLACE = ("WorkgroupName", "ClusterIdentifier", "Database", "SecretArn", "DbUser")
_SUMMARIES_AT_ONCE = 100
_PARAMETER = re.compile(r"(?<!:):(\w+)")


class RedshiftDataService:
    """A `Service` for the gateway."""

    def __init__(
        self,
        redshift: Redshift,
        sessions: Sessions,
        clients: Clients,
        now: Callable[[], datetime],
        facts: Facts | None = None,
    ) -> None:
        self._redshift = redshift
        self._sessions = sessions
        self._clients = clients
        self._now = now
        self._statements = Statements(facts or Facts.none(), now)
        self._runs = Runs(self._statements)
        self._operations: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "ExecuteStatement": lambda params, caller: self._submit(params, [params["Sql"]], caller),
            "BatchExecuteStatement": lambda params, caller: self._submit(params, params["Sqls"], caller),
            "DescribeStatement": lambda params, caller: description(*self._find(params["Id"], caller)),
            "GetStatementResult": self._result,
            "ListStatements": self._list,
            "CancelStatement": self._cancel,
        }

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation not in self._operations:
            raise unknown_operation("redshift-data", operation)
        check_input("redshift-data", operation, params, error="ValidationException")
        return self._operations[operation](params, caller)

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """For IAM: the ARN of the workgroup (which holds its id) or of the cluster."""
        warehouse = self._named(params)
        return {"ResourceArn": warehouse.arn} if warehouse else {}

    def close(self) -> None:
        """End the statements that run."""
        self._runs.close()

    def _named(self, params: dict[str, Any]) -> Warehouse | None:
        is_serverless = "WorkgroupName" in params
        name = str(params.get("WorkgroupName") or params.get("ClusterIdentifier") or "").rpartition("/")[2]
        return self._redshift.warehouse(name, is_serverless=is_serverless)

    def _submit(self, params: dict[str, Any], sqls: list[str], caller: Caller) -> dict[str, Any]:
        for name in _REFUSED:
            if params.get(name):
                raise ServiceError("ValidationException", f"The local runtime does not know {name}")
        if params.get("ResultFormat", "JSON") != "JSON":
            raise ServiceError("ValidationException", "The local runtime knows ResultFormat JSON only")
        _check_parameters(params.get("Parameters", []), sqls)
        warehouse, database = self._place(params)
        user, password = self._login(params, warehouse, database, caller)
        statement = Statement(
            owner=_owner(caller) or caller.arn,
            place={name: params[name] for name in _PLACE if name in params},
            parts=[Part(sql) for sql in sqls],
            created_at=self._now(),
            is_batch="Sqls" in params,
            name=params.get("StatementName"),
            parameters=params.get("Parameters", []),
            user=user,
        )
        kept = self._statements.add(statement, params.get("ClientToken"))
        if kept is statement:

            def connect() -> "Session":
                return self._redshift.connect(warehouse, database, user, password)

            self._runs.submit(statement, connect)
        return {**kept.place, "Id": kept.id, "CreatedAt": kept.created_at, "DbUser": user}

    def _place(self, params: dict[str, Any]) -> tuple[Warehouse, str]:
        if ("WorkgroupName" in params) == ("ClusterIdentifier" in params):
            raise ServiceError(
                "ValidationException", "Either ClusterIdentifier or WorkgroupName must be given, not both"
            )
        if "Database" not in params:
            raise ServiceError("ValidationException", "Database must not be null")
        warehouse = self._named(params)
        if warehouse is None:
            raise ServiceError("ValidationException", "Redshift endpoint doesn't exist in this region.")
        return warehouse, params["Database"]

    def _login(
        self, params: dict[str, Any], warehouse: Warehouse, database: str, caller: Caller
    ) -> tuple[str, str]:
        """With the caller's rights: from the secret, or passwords that are lent to the IAM identity."""
        credentials = self._sessions.credentials_of(caller.access_key)
        try:
            if secret := params.get("SecretArn"):
                client = self._clients.client("secretsmanager", credentials)
                return _user_of(client.get_secret_value(SecretId=secret)["SecretString"])
            if warehouse.is_serverless:
                client = self._clients.client("redshift-serverless", credentials)
                lent = client.get_credentials(workgroupName=warehouse.name, dbName=database)
                return lent["dbUser"], lent["dbPassword"]
            client = self._clients.client("redshift", credentials)
            cluster = {"ClusterIdentifier": warehouse.name, "DbName": database}
            if user := params.get("DbUser"):
                lent = client.get_cluster_credentials(DbUser=user, **cluster)
            else:
                lent = client.get_cluster_credentials_with_iam(**cluster)
            return lent["DbUser"], lent["DbPassword"]
        except ClientError as error:
            raise ServiceError("ValidationException", error.response["Error"]["Message"]) from error

    def _find(self, statement_id: str, caller: Caller) -> tuple[Statement, int | None]:
        """A statement, or one part of a batch (`id:2`)."""
        whole, _, number = statement_id.partition(":")
        statement = self._statements.get(whole, _owner(caller))
        part = int(number) - 1 if number.isdigit() else None
        if statement is None or (part is not None and not 0 <= part < len(statement.parts)):
            raise ServiceError("ResourceNotFoundException", "Query does not exist.", ResourceId=statement_id)
        return statement, part

    def _result(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        statement, part = self._find(params["Id"], caller)
        found = None if statement.is_batch and part is None else statement.parts[part or 0].result
        if found is None or found.columns is None:
            raise ServiceError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
                ResourceId=params["Id"],
            )
        return result_page(found, params.get("NextToken"))

    def _list(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        wanted, name = params.get("Status", "FINISHED"), params.get("StatementName", "")
        found = [
            summary(each)
            for each in self._statements.all(_owner(caller))
            if wanted in ("ALL", each.status) and (each.name or "").startswith(name)
        ]
        start, size = int(params.get("NextToken") or 0), params.get("MaxResults") or _SUMMARIES_AT_ONCE
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"Statements": found[start : start + size], **more}

    def _cancel(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        statement, _part = self._find(params["Id"], caller)
        if not self._runs.cancel(statement):
            message = f"Could not cancel a query that is already in {statement.status} state"
            raise ServiceError("ValidationException", f"{message} with ID: {statement.id}")
        return {"Status": True}


def _check_parameters(parameters: list[dict[str, str]], sqls: list[str]) -> None:
    used = {name for sql in sqls for name in _PARAMETER.findall(sql)}
    unused = [each["name"] for each in parameters if each["name"] not in used]
    if unused:
        message = f"Parameters list contains unused parameters. Unused parameters: {unused}"
        raise ServiceError("ValidationException", message)


def _owner(caller: Caller) -> str | None:
    return None if caller.is_admin else caller.role_arn or caller.arn


def _user_of(secret: str) -> tuple[str, str]:
    try:
        content = json.loads(secret)
        return str(content["username"]), str(content["password"])
    except (ValueError, KeyError, TypeError) as error:
        message = "The secret must be a JSON object with username and password"
        raise ServiceError("ValidationException", message) from error
