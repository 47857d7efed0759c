"""Answers in the form of each AWS protocol: results by the output model, errors as boto3 reads them."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from moto.core.model import OperationModel
from moto.core.serialize import get_serializer_class

from sightline_local.cloud import cbor, event_stream
from sightline_local.cloud.event_stream import EventStreamBody
from sightline_local.cloud.service import EventStream, RawResponse, ServiceError

_STATUS_TEXT = {200: "OK", 202: "Accepted", 204: "No Content", 400: "Bad Request", 403: "Forbidden"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body, ready for WSGI."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterable[bytes]

    def send(self, start_response: Any) -> Iterable[bytes]:
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), **self.headers}
        if isinstance(self.body, bytes):
            headers["Content-Length"] = str(len(self.body))
        start_response(f"{self.status} {_STATUS_TEXT.get(self.status, 'Status')}", list(headers.items()))
        return [self.body] if isinstance(self.body, bytes) else self.body


def result(model: OperationModel, protocol: str, value: dict[str, Any] | RawResponse) -> Answer:
    """Serialise what a service returned."""
    if isinstance(value, RawResponse):
        return Answer(value.status, value.headers, value.body)
    serializer = get_serializer_class(str(model.service_model.service_name), protocol)(model)
    response = serializer.serialize(value)
    body = response["body"]
    return Answer(
        response["status_code"], response["headers"], body.encode() if isinstance(body, str) else bytes(body)
    )


def json_result(value: dict[str, Any] | EventStream, protocol: str) -> Answer:
    """What a service returned that speaks the JSON of the wire itself; in CBOR if the request was."""
    if isinstance(value, EventStream):
        return Answer(200, {"Content-Type": event_stream.CONTENT_TYPE}, EventStreamBody(value, protocol))
    if protocol == "cbor":
        return Answer(200, {"Content-Type": cbor.CONTENT_TYPE}, cbor.write(value))
    return Answer(200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Fault:
    """An error before it has a form. `query_code` is the older name that query protocols and SQS use."""

    code: str
    message: str
    status: int
    query_code: str | None = None
    members: Mapping[str, object] = field(default_factory=dict)


def fault_of(error: ServiceError, model: OperationModel | None) -> Fault:
    """The status comes from the service's model, unless the error has one of its own."""
    status = error.status
    if status == 400 and model is not None:
        shapes = {shape.name: shape for shape in model.error_shapes}
        if error.code in shapes:
            status = shapes[error.code].metadata.get("error", {}).get("httpStatusCode", status)
    return Fault(error.code, error.message, status, members=error.members)


def failure(protocol: str, service: str, fault: Fault) -> Answer:
    """An error in the form that the service's protocol demands."""
    if service == "s3":
        return _xml(fault, "<Error>{inner}<RequestId>local</RequestId></Error>")
    if protocol in ("query", "ec2", "rest-xml"):
        return _xml(
            fault,
            "<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>local</RequestId></ErrorResponse>",
        )
    return _json(protocol, fault)


def _json(protocol: str, fault: Fault) -> Answer:
    body = {**fault.members, "__type": fault.code, "message": fault.message, "Message": fault.message}
    headers = {
        "Content-Type": "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1",
        "x-amzn-ErrorType": fault.code,
    }
    if protocol == "cbor":
        return Answer(fault.status, {**headers, "Content-Type": cbor.CONTENT_TYPE}, cbor.write(body))
    if fault.query_code:
        headers["x-amzn-query-error"] = (
            f"{fault.query_code};Sender"  # SQS keeps its codes from the query days
        )
    return Answer(fault.status, headers, json.dumps(body, default=str).encode())


def _xml(fault: Fault, frame: str) -> Answer:
    code = fault.query_code or fault.code
    inner = f"<Code>{escape(code)}</Code><Message>{escape(fault.message)}</Message>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{frame.format(inner=inner)}'
    return Answer(fault.status, {"Content-Type": "text/xml"}, body.encode())
