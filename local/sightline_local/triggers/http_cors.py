"""CORS of an HTTP API: answers to preflight requests, headers on what functions answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sightline_local.errors import LocalRuntimeError
from sightline_local.triggers.http_event import HttpRequest, HttpResponse

EXTENSION = "x-amazon-apigateway-cors"
_MEMBERS = frozenset(
    ("allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge", "allowCredentials")
)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*"))
_LONGEST_AGE_SECONDS = 86_400
_ANY_OF_SCHEME = ("http://*", "https://*")


@dataclass(frozen=True, slots=True)
class Cors:
    """What the API lets pages of other origins do."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int | None
    credentials: bool

    def preflight(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a browser's question; None for any other request."""
        asks = "origin" in request.headers and "access-control-request-method" in request.headers
        if request.method != "OPTIONS" or not asks:
            return None
        origin = self._allowed(request)
        if origin is None:
            return HttpResponse(204)
        answers = {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": ",".join(self.methods),
            "access-control-allow-headers": ",".join(self.headers),
            "access-control-max-age": "" if self.max_age is None else str(self.max_age),
            "access-control-allow-credentials": "true" if self.credentials else "",
        }
        return HttpResponse(204, headers={name: value for name, value in answers.items() if value})

    def applied(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The function's answer, with these CORS headers in the place of its own."""
        headers = {k: v for k, v in response.headers.items() if not k.startswith("access-control-")}
        if origin := self._allowed(request):
            headers["access-control-allow-origin"] = origin
            if self.credentials:
                headers["access-control-allow-credentials"] = "true"
            if self.exposed:
                headers["access-control-expose-headers"] = ",".join(self.exposed)
        return replace(response, headers=headers)

    def _allowed(self, request: HttpRequest) -> str | None:
        origin = request.headers.get("origin")
        if origin is None or not self.origins:
            return None
        if "*" in self.origins:
            return "*"
        of_scheme = any(each in _ANY_OF_SCHEME and origin.startswith(each[:-1]) for each in self.origins)
        return origin if of_scheme or origin in self.origins else None


def cors_of(openapi: Mapping[str, Any]) -> Cors | None:
    """The API's settings; LocalRuntimeError for those that API Gateway refuses."""
    given = openapi.get(EXTENSION)
    if given is None:
        return None
    if unknown := sorted(given.keys() - _MEMBERS):
        raise LocalRuntimeError(f"HTTP API: {EXTENSION} has no {', '.join(unknown)}")
    cors = Cors(
        origins=_texts(given, "allowOrigins"),
        methods=tuple(method.upper() for method in _texts(given, "allowMethods")),
        headers=_texts(given, "allowHeaders"),
        exposed=_texts(given, "exposeHeaders"),
        max_age=None if given.get("maxAge") is None else int(given["maxAge"]),
        credentials=str(given.get("allowCredentials", False)).lower() == "true",
    )
    _check(cors)
    return cors


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = given.get(name) or []
    if not isinstance(values, list):
        raise LocalRuntimeError(f"HTTP API: {name} of {EXTENSION} must be a list")
    return tuple(map(str, values))


def _check(cors: Cors) -> None:
    if cors.credentials and "*" in cors.origins:
        raise LocalRuntimeError("HTTP API: allow-credentials is not supported if 'allow-origin' is *")
    if unknown := sorted(set(cors.methods) - _METHODS):
        raise LocalRuntimeError(f"HTTP API: CORS method {', '.join(unknown)} is not supported")
    if cors.max_age is not None and not -1 <= cors.max_age <= _LONGEST_AGE_SECONDS:
        raise LocalRuntimeError(f"HTTP API: maxAge of CORS is from -1 to {_LONGEST_AGE_SECONDS} seconds")
    for origin in cors.origins:
        if origin != "*" and "://" not in origin:
            raise LocalRuntimeError(f"HTTP API: the CORS origin {origin} has no scheme")
