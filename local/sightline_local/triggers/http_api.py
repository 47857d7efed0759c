"""The HTTP API of a stack, on a port of this machine: route, token, permission, function, response."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from sightline_local.cloud.calls import Environ
from sightline_local.cloud.http_server import HttpServer
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import (
    FunctionNotFound,
    InvocationRefused,
    InvokeResult,
    TooManyInvocations,
)
from sightline_local.functions.warm_parent import WarmParentGone
from sightline_local.triggers.http_cors import cors_of
from sightline_local.triggers.http_event import (
    HttpRequest,
    HttpResponse,
    MalformedResponseError,
    event_of,
    message,
    response_of,
)
from sightline_local.triggers.http_routes import Match, Route, Routes
from sightline_local.triggers.jwt_authorizer import (
    Forbidden,
    Jwks,
    Unauthorized,
    as_event,
    verified_claims,
)

_logger = logging.getLogger(__name__)
_PAYLOAD_LIMIT = 10 * 1024 * 1024
_EVENT_LIMIT = 6 * 1024 * 1024  # Lambda takes no larger event
_INTEGRATION_SECONDS = 30  # the longest that API Gateway waits for a function
_GATEWAY = "apigateway.amazonaws.com"
_HOP_BY_HOP = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})
_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
}

HttpApiServer = HttpServer


class HttpApi:
    """A WSGI application."""

    def __init__(self, openapi: Mapping[str, Any], functions: Functions, jwks: Jwks, *, api_id: str) -> None:
        self._routes = Routes(openapi)
        self._cors = cors_of(openapi)
        self._functions = functions
        self._jwks = jwks
        self._api_id = api_id

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = _request_of(environ)
        response = message(413, "Request Entity Too Large") if request is None else self.answer(request)
        return _send(response, environ, start_response)

    def answer(self, request: HttpRequest) -> HttpResponse:
        preflight = self._cors and self._cors.preflight(request)
        return preflight or self._routed(request)

    def _routed(self, request: HttpRequest) -> HttpResponse:
        match = self._routes.find(request.method, request.raw_path)
        if match is None:
            return message(404, "Not Found")
        try:
            return self._called(match, request, self._claims(match.route, request))
        except Unauthorized as why:
            return _unauthorized(str(why))
        except (Forbidden, TooManyInvocations) as error:
            return message(403, "Forbidden") if isinstance(error, Forbidden) else _unavailable()
        except (MalformedResponseError, FunctionNotFound, InvocationRefused, WarmParentGone) as error:
            _logger.error("%s %s: %s", request.method, match.route.path, error)  # noqa: TRY400  one line
        except Exception:
            _logger.exception("%s %s", request.method, match.route.path)
        return message(500, "Internal Server Error")

    def _claims(self, route: Route, request: HttpRequest) -> dict[str, str] | None:
        if route.authorizer is None:
            return None
        header = request.headers.get(route.authorizer.header, "")
        return as_event(verified_claims(route.authorizer, route.scopes, header, self._jwks))

    def _called(self, match: Match, request: HttpRequest, claims: dict[str, str] | None) -> HttpResponse:
        event = json.dumps(event_of(request, match, self._api_id, claims)).encode()
        if len(event) > _EVENT_LIMIT:
            return message(413, "Request Entity Too Large")
        began = time.monotonic()
        result = self._invoke(match.route, request.method, event)
        if time.monotonic() - began > _INTEGRATION_SECONDS:
            return _unavailable()
        if result.error:
            return message(500, "Internal Server Error")
        response = response_of(result.payload)
        return self._cors.applied(request, response) if self._cors else response

    def _invoke(self, route: Route, method: str, event: bytes) -> InvokeResult:
        region, account = route.function_arn.split(":")[3:5]
        place = f"arn:aws:execute-api:{region}:{account}:{self._api_id}/$default"
        # For the source of $default, API Gateway puts the name of the route in place of method and path.
        source = f"{place}/$default" if route.path == "$default" else f"{place}/{method}{route.path}"
        return self._functions.invoke(route.function_arn, event, service=_GATEWAY, source_arn=source)


def _unauthorized(why: str) -> HttpResponse:
    plain = message(401, "Unauthorized")
    challenge = f'Bearer scope="" error="invalid_token" error_description="{why}"'
    return HttpResponse(401, plain.body, {**plain.headers, "www-authenticate": challenge})


def _unavailable() -> HttpResponse:
    return message(503, "Service Unavailable")


def _request_of(environ: Environ) -> HttpRequest | None:
    """The request, or None when its body is too long to be read."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > _PAYLOAD_LIMIT:
        return None
    body = environ["wsgi.input"].read(_PAYLOAD_LIMIT + 1 if environ.get("wsgi.input_terminated") else length)
    if len(body) > _PAYLOAD_LIMIT:
        return None
    uri = str(environ.get("RAW_URI") or environ.get("PATH_INFO", "/"))
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        raw_path=uri.partition("?")[0] or "/",
        query=environ.get("QUERY_STRING", ""),
        headers={name: value for name, value in headers.items() if value},
        body=body,
        source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
        protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
    )


def _send(response: HttpResponse, environ: Environ, start_response: Any) -> Iterable[bytes]:
    headers = [(name, value) for name, value in response.headers.items() if name not in _HOP_BY_HOP]
    headers += [("set-cookie", cookie) for cookie in response.cookies]
    has_body = response.status >= 200 and response.status not in (204, 304)
    if has_body:
        headers.append(("content-length", str(len(response.body))))
    start_response(f"{response.status} {_REASONS.get(response.status, 'Status')}", headers)
    return [response.body] if has_body and environ["REQUEST_METHOD"] != "HEAD" else []


def serve_http_api(
    openapi_body: Mapping[str, Any], functions: Functions, jwks: Jwks, port: int, *, api_id: str
) -> HttpApiServer:
    """Serve the routes of the OpenAPI document until `close()`; LocalRuntimeError for one that cannot be."""
    return HttpServer(HttpApi(openapi_body, functions, jwks, api_id=api_id), port)
