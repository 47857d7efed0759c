"""Payload format 2.0: an HTTP request as an event, a function's answer as an HTTP response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from sightline_local.triggers.http_routes import Match

_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_TEXT_SUFFIXES = ("+json", "+xml")
_JSON = {"content-type": "application/json"}
_TEXT = {"content-type": "text/plain;charset=UTF-8"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came; header names are lower case, repeated ones joined by commas."""

    method: str
    raw_path: str  # percent-encoded
    query: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


class MalformedResponseError(Exception):
    """The function answered something that is no response: the caller gets a 500."""


def message(status: int, text: str) -> HttpResponse:
    """API Gateway's own answers."""
    return HttpResponse(status, json.dumps({"message": text}).encode(), _JSON)


def event_of(
    request: HttpRequest, match: Match, api_id: str, claims: dict[str, str] | None
) -> dict[str, Any]:
    """The event for the function of the route."""
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    cookies = [cookie for cookie in request.headers.get("cookie", "").split("; ") if cookie]
    query = _joined(request.query)
    text, is_binary = _body(request)
    return {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": unquote(request.raw_path),
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
        **({"queryStringParameters": query} if query else {}),
        "requestContext": _context(request, match, api_id, claims),
        **({"pathParameters": dict(match.path_parameters)} if match.path_parameters else {}),
        **({"body": text} if request.body else {}),
        "isBase64Encoded": is_binary,
    }


def response_of(payload: bytes) -> HttpResponse:
    """What the function returned, as a response: a dictionary with statusCode, or any value for a 200."""
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise MalformedResponseError("not JSON") from error
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        return HttpResponse(200, body.encode(), _JSON)
    headers = {str(name).lower(): _header(value) for name, value in (answer.get("headers") or {}).items()}
    return HttpResponse(
        _status(answer["statusCode"]),
        _response_body(answer),
        {**_TEXT, **headers},
        tuple(map(str, answer.get("cookies") or ())),
    )


def _context(
    request: HttpRequest, match: Match, api_id: str, claims: dict[str, str] | None
) -> dict[str, Any]:
    region, account = match.route.function_arn.split(":")[3:5]
    now = time.time()
    jwt = {"claims": claims, "scopes": list(match.route.scopes) or None}
    return {
        "accountId": account,
        "apiId": api_id,
        **({"authorizer": {"jwt": jwt}} if claims is not None else {}),
        "domainName": f"{api_id}.execute-api.{region}.amazonaws.com",
        "domainPrefix": api_id,
        "http": {
            "method": request.method,
            "path": unquote(request.raw_path),
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex[:15] + "=",
        "routeKey": match.route.key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _joined(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: HttpRequest) -> tuple[str, bool]:
    """The body as text, and whether that text is base64: so for all that is not declared as text."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body or kind.startswith(_TEXT_TYPES) or kind.endswith(_TEXT_SUFFIXES):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError) as error:
        raise MalformedResponseError("statusCode is no number") from error
    if not 100 <= status <= 599:
        raise MalformedResponseError("statusCode is no HTTP status")
    return status


def _header(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _response_body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    if not answer.get("isBase64Encoded"):
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedResponseError("the body is not base64") from error
