"""Stand-ins for boto3 clients: they record what is called, and answer or fail as a test says."""

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore import xform_name

Answer = dict[str, Any] | str | Callable[[dict[str, Any]], dict[str, Any]]


class FakeAws:
    """Answers by (service, operation): a dict, an error's code, a function, or a list of those."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer | list[Answer]] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def client(self, service: str) -> "FakeClient":
        return FakeClient(self, service)

    def names(self) -> list[str]:
        return [f"{service}:{operation}" for service, operation, _ in self.calls]

    def parameters(self, service: str, operation: str) -> dict[str, Any]:
        """What the last such call was given."""
        return next(p for s, o, p in reversed(self.calls) if (s, o) == (service, operation))

    def call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((service, operation, copy.deepcopy(parameters)))
        answer = self.answers.get((service, operation), {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, str):
            raise client_error(service, operation, answer)
        return answer(parameters) if callable(answer) else copy.deepcopy(answer)


class FakeClient:
    def __init__(self, aws: FakeAws, service: str) -> None:
        model = botocore.session.get_session().get_service_model(service)
        self._operations = {xform_name(name): name for name in model.operation_names}
        self._aws = aws
        self._service = service

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        operation = self._operations[method]
        return lambda **parameters: self._aws.call(self._service, operation, parameters)


def client_error(service: str, operation: str, code: str) -> Exception:
    """The exception that boto3 raises; its message holds what breaks careless quoting."""
    response = {
        "Error": {"Code": code, "Message": 'said "no"\nand \\ more'},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "r-1"},
    }
    client = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
    error: Exception = client.exceptions.from_code(code)(response, operation)
    return error


def invocation_result(value: object) -> dict[str, Any]:
    """What Lambda's Invoke answers when the function returned `value`."""
    return {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": io.BytesIO(json.dumps(value).encode()),
    }
