"""The operations of Lambda that the local runtime emulates."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from sightline_local.cloud.lambda_.configuration import configuration_of
from sightline_local.cloud.lambda_.event_source_mappings import EventSourceMappings
from sightline_local.cloud.service import RawResponse, ServiceError, unknown_operation
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import (
    FunctionNotFound,
    FunctionSpec,
    InvokeResult,
    TooManyInvocations,
)
from sightline_local.functions.warm_parent import WarmParentGone
from sightline_local.iam import Caller
from sightline_local.triggers.mappings import Mappings

_SYNC_LIMIT = 6 * 1024 * 1024
_ASYNC_LIMIT = 1024 * 1024

Operation = Callable[[dict[str, Any]], dict[str, Any] | RawResponse]


class LambdaService:
    """A `Service` for the gateway."""

    def __init__(self, functions: Functions, mappings: Mappings) -> None:
        self._functions = functions
        self._mappings = EventSourceMappings(functions, mappings)
        self._operations: dict[str, Operation] = {
            "Invoke": self._invoke,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": lambda params: configuration_of(self._spec(params)),
            "ListFunctions": lambda _params: {"Functions": [configuration_of(s) for s in functions.specs()]},
            "CreateEventSourceMapping": self._mappings.create,
            "GetEventSourceMapping": self._mappings.get,
            "ListEventSourceMappings": self._mappings.list,
            "UpdateEventSourceMapping": self._mappings.update,
            "DeleteEventSourceMapping": self._mappings.delete,
            "AddPermission": self._add_permission,
            "RemovePermission": self._remove_permission,
            "GetPolicy": self._get_policy,
        }

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any] | RawResponse:  # noqa: ARG002
        if operation not in self._operations:
            raise unknown_operation("lambda", operation)
        return self._operations[operation](params)

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """For IAM: the function of the mapping that is named by its UUID."""
        arn = self._mappings.function_of(params["UUID"]) if "UUID" in params else None
        return {"MappedFunctionArn": arn} if arn else {}

    def _invoke(self, params: dict[str, Any]) -> RawResponse:
        spec = self._spec(params)
        kind = params.get("InvocationType", "RequestResponse")
        payload = bytes(params.get("Payload") or b"{}")
        _check_payload(payload, _ASYNC_LIMIT if kind == "Event" else _SYNC_LIMIT)
        if kind == "DryRun":
            return RawResponse(status=204)
        if kind == "Event":
            request_id = self._functions.invoke_later(spec.name, payload)
            return RawResponse(status=202, headers={"x-amzn-RequestId": request_id})
        return _answer(self._run(spec, payload), with_log=params.get("LogType") == "Tail")

    def _run(self, spec: FunctionSpec, payload: bytes) -> InvokeResult:
        try:
            return self._functions.invoke(spec.name, payload)
        except TooManyInvocations as error:
            raise ServiceError("TooManyRequestsException", str(error)) from error
        except WarmParentGone as error:
            raise ServiceError("ServiceException", str(error)) from error

    def _get_function(self, params: dict[str, Any]) -> dict[str, Any]:
        spec = self._spec(params)
        return {
            "Configuration": configuration_of(spec),
            "Code": {"RepositoryType": "local", "Location": spec.code_dir.as_uri()},
            "Tags": dict(spec.tags),
        }

    def _add_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        spec, sid = self._spec(params), params["StatementId"]
        if self._functions.permissions.has(spec.arn, sid):
            raise ServiceError(
                "ResourceConflictException", f"The statement id ({sid}) provided already exists."
            )
        statement = self._functions.permissions.add(
            spec.arn,
            sid,
            action=params["Action"],
            principal=params["Principal"],
            source_arn=params.get("SourceArn"),
            source_account=params.get("SourceAccount"),
        )
        return {"Statement": json.dumps(statement)}

    def _remove_permission(self, params: dict[str, Any]) -> dict[str, Any]:
        if not self._functions.permissions.remove(self._spec(params).arn, params["StatementId"]):
            raise _not_found(f"Statement {params['StatementId']} is not found in resource policy.")
        return {}

    def _get_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        policy = self._functions.permissions.policy(self._spec(params).arn)
        if policy is None:
            raise _not_found("The resource you requested does not exist.")
        return {"Policy": json.dumps(policy)}

    def _spec(self, params: dict[str, Any]) -> FunctionSpec:
        name = params["FunctionName"]
        try:
            spec = self._functions.spec(name)
        except FunctionNotFound as error:
            arn = name if name.startswith("arn:") else self._functions.arn_of(name)
            raise _not_found(f"Function not found: {arn}") from error
        if params.get("Qualifier", "$LATEST") != "$LATEST":
            raise _not_found(
                f"Function not found: {spec.arn}:{params['Qualifier']} (there is $LATEST only here)"
            )
        return spec


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def _check_payload(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        message = f"{len(payload)} byte payload is too large for the operation (limit {limit} bytes)"
        raise ServiceError("RequestTooLargeException", message)
    try:
        json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", message) from error


def _answer(result: InvokeResult, *, with_log: bool) -> RawResponse:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": result.request_id,
        "X-Amz-Executed-Version": "$LATEST",
        **({"X-Amz-Function-Error": "Unhandled"} if result.error else {}),
        **({"X-Amz-Log-Result": b64encode(result.log_tail).decode()} if with_log else {}),
    }
    return RawResponse(result.payload, headers=headers)
