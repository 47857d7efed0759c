"""One AWS request: who signed it, for which service, which operation, with what parameters."""

import io
import json
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from botocore.utils import parse_timestamp
from cbor2 import CBORError
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from werkzeug.exceptions import ClientDisconnected, NotFound
from werkzeug.wsgi import get_input_stream

from sightline_local.cloud import cbor

Environ = MutableMapping[str, Any]

_CREDENTIAL = re.compile(
    r"Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)
# Signing name → models that share it, when they are not just one of the same name.
_MODELS = {
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "kinesisvideo": ("kinesisvideo", "kinesis-video-media", "kinesis-video-archived-media"),
    "states": ("stepfunctions",),
    "monitoring": ("cloudwatch",),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What the credential scope of a SigV4 signature says."""

    access_key: str
    session_token: str | None
    region: str
    signing_name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its parameters; `model` is None when nobody needs more than the operation's name."""

    signing_name: str
    operation: str
    protocol: str
    params: dict[str, Any]
    model: OperationModel | None


class UnreadableCallError(Exception):
    """The request fits no operation of its service."""


def scope_of(environ: Environ) -> Scope | None:
    """The scope of the Authorization header, or of a presigned URL; None for an unsigned request."""
    if header := _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")):
        token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN")
        return Scope(header["key"], token, header["region"], header["service"])
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    if "AWSAccessKeyId" in query:  # boto3 still presigns S3 by version 2 unless it is told otherwise
        return Scope(query["AWSAccessKeyId"], query.get("x-amz-security-token"), "", "s3")
    credential = query.get("X-Amz-Credential", "").split("/")
    if len(credential) != 5:
        return None
    return Scope(credential[0], query.get("X-Amz-Security-Token"), credential[2], credential[3])


def protocol_of(environ: Environ, signing_name: str) -> str:
    """How the request was written, and how its answer is to be written."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "cbor" if environ.get("CONTENT_TYPE") == cbor.CONTENT_TYPE else "json"
    return "query" if _is_form(environ) else "rest-xml" if signing_name == "s3" else "rest-json"


def body_of(environ: Environ) -> bytes:
    """The whole body; the next reader finds it again."""
    kept: bytes | None = environ.get("sightline.body")
    if kept is None:
        try:
            kept = environ["sightline.body"] = get_input_stream(environ).read()  # type: ignore[arg-type]
        except ClientDisconnected as error:
            raise UnreadableCallError("The request ended before its body did") from error
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        environ["CONTENT_LENGTH"] = str(len(kept))
    environ["wsgi.input"] = io.BytesIO(kept)
    return kept


def read_call(environ: Environ, signing_name: str, *, modelled: bool) -> Call:
    """Which operation, and its parameters by the names of the model.

    With `modelled`, values are parsed by the model too (blobs as bytes, timestamps as aware datetimes).
    Without, a body of JSON is taken as it is (of CBOR as the JSON that it stands for), and the body of an
    upload is left unread.
    """
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target and not modelled:
        protocol = protocol_of(environ, signing_name)
        content = (_cbor if protocol == "cbor" else _json)(body_of(environ))
        return Call(signing_name, target.rpartition(".")[2], protocol, content, None)
    model, uri_params, request = _route(environ, signing_name)
    protocol = determine_request_protocol(model.service_model, request.content_type)
    parsed = _parse(model, protocol, uri_params, request, lambda: body_of(environ))
    return Call(signing_name, str(model.name), protocol, parsed, model)


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError as error:
        raise UnreadableCallError("The body is not JSON") from error
    if not isinstance(content, dict):
        raise UnreadableCallError("The body is not a JSON object")
    return content


def _cbor(body: bytes) -> dict[str, Any]:
    try:
        content = cbor.read(body) if body else {}
    except CBORError as error:
        raise UnreadableCallError("The body is not CBOR") from error
    if not isinstance(content, dict):
        raise UnreadableCallError("The body is not a CBOR map")
    return content


def _route(environ: Environ, signing_name: str) -> tuple[OperationModel, dict[str, Any], Request]:
    if "HTTP_X_AMZ_TARGET" in environ or _is_form(environ):
        body_of(environ)
    request = Request(environ.copy() if isinstance(environ, dict) else environ)
    for name in _MODELS.get(signing_name, (signing_name,)):
        try:
            model, params = get_service_router(name).match(request)
        except (NotFound, NotImplementedError):
            continue
        return model, params, request
    raise UnreadableCallError(f"No operation of {signing_name} fits {request.method} {request.path}")


def _is_form(environ: Environ) -> bool:
    return str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")


def _parse(
    model: OperationModel,
    protocol: str,
    uri_params: dict[str, Any],
    request: Request,
    body: Callable[[], bytes],
) -> dict[str, Any]:
    # botocore calls every blob payload streaming; only an object's may be too large to read for its headers.
    upload = bool(model.has_streaming_input) and model.service_model.service_name == "s3"
    parser = PROTOCOL_PARSERS[protocol](model, timestamp_parser=_moment, blob_parser=None)
    content = {
        "body": b"" if upload else body(),
        "headers": request.headers,
        "method": request.method,
        "url_params": uri_params,
        "url_path": request.path,
        "values": request.values,
    }
    parsed = parser.parse(content)
    return {name: value for name, value in parsed.items() if value is not None}


def _moment(value: Any) -> datetime:
    moment: datetime = parse_timestamp(value)
    return moment.astimezone(UTC)
