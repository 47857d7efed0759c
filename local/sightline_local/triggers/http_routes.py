"""The routes of an HTTP API, from the OpenAPI document that SAM writes for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sightline_local.errors import LocalRuntimeError

_ANY = "x-amazon-apigateway-any-method"
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace", _ANY}
_FUNCTION = re.compile(r".*:lambda:path/2015-03-31/functions/(?P<arn>arn:[^/]+)/invocations")
_LABEL = re.compile(r"\{(?P<name>[\w.-]+)(?P<greedy>\+?)\}")
_DOCUMENT_MEMBERS = {"openapi", "info", "paths", "components", "tags", "x-amazon-apigateway-cors"}
_DEFAULT = "/$default"


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    """Who issued a token, and for whom."""

    issuer: str
    audience: tuple[str, ...]
    header: str  # lower case


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, and the function behind it."""

    method: str  # GET …, or ANY
    path: str  # "/devices/{device_id}", or "$default"
    function_arn: str
    authorizer: JwtAuthorizer | None
    scopes: tuple[str, ...]
    pattern: re.Pattern[str]
    labels: tuple[str, ...]  # the names of the pattern's groups

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"

    def rank(self) -> tuple[bool, bool, int, bool]:
        """The most specific wins: no $default, no greedy label, fewest labels, a named method."""
        greedy = "+}" in self.path
        return self.path == "$default", greedy, len(self.labels), self.method == "ANY"


@dataclass(frozen=True, slots=True)
class Match:
    route: Route
    path_parameters: Mapping[str, str]


class Routes:
    """Finds the route of a request."""

    def __init__(self, openapi: Mapping[str, Any]) -> None:
        if unknown := sorted(openapi.keys() - _DOCUMENT_MEMBERS):
            raise LocalRuntimeError(f"HTTP API: the local runtime does not emulate {', '.join(unknown)}")
        authorizers = _authorizers(openapi)
        self._routes = sorted(_routes(openapi, authorizers), key=Route.rank)

    def __iter__(self) -> Any:
        return iter(self._routes)

    def find(self, method: str, raw_path: str) -> Match | None:
        """`raw_path` is still percent-encoded, so that an encoded slash stays in its segment."""
        for route in self._routes:
            found = route.pattern.fullmatch(raw_path)
            if found and route.method in (method, "ANY"):
                return Match(route, dict(zip(route.labels, map(unquote, found.groups()), strict=True)))
        return None


def _authorizers(openapi: Mapping[str, Any]) -> dict[str, JwtAuthorizer]:
    schemes = openapi.get("components", {}).get("securitySchemes", {})
    return {name: _authorizer(name, scheme) for name, scheme in schemes.items()}


def _authorizer(name: str, scheme: Mapping[str, Any]) -> JwtAuthorizer:
    settings = scheme.get("x-amazon-apigateway-authorizer", {})
    source = str(settings.get("identitySource", ""))
    if settings.get("type") != "jwt" or not source.startswith("$request.header."):
        raise LocalRuntimeError(f"HTTP API: authorizer {name} is not a JWT authorizer on a header")
    jwt = settings["jwtConfiguration"]
    header = source.removeprefix("$request.header.").lower()
    return JwtAuthorizer(str(jwt["issuer"]), tuple(map(str, jwt["audience"])), header)


def _routes(openapi: Mapping[str, Any], authorizers: Mapping[str, JwtAuthorizer]) -> Sequence[Route]:
    return [
        _route("ANY" if method == _ANY else method.upper(), path, operation, authorizers)
        for path, operations in openapi.get("paths", {}).items()
        for method, operation in operations.items()
        if _is_method(path, method)
    ]


def _is_method(path: str, method: str) -> bool:
    if method not in _METHODS:
        raise LocalRuntimeError(f"HTTP API: the local runtime does not emulate {method} of {path}")
    return True


def _route(
    method: str, path: str, operation: Mapping[str, Any], authorizers: Mapping[str, JwtAuthorizer]
) -> Route:
    integration = operation.get("x-amazon-apigateway-integration", {})
    function = _FUNCTION.fullmatch(str(integration.get("uri", "")))
    if not function or integration.get("payloadFormatVersion") != "2.0":
        raise LocalRuntimeError(f"HTTP API: {method} {path} is no Lambda integration of payload format 2.0")
    security = [entry for entry in operation.get("security", []) if entry]
    name, scopes = next(((n, s) for entry in security for n, s in entry.items()), (None, ()))
    if name is not None and name not in authorizers:
        raise LocalRuntimeError(f"HTTP API: {method} {path} names the unknown authorizer {name}")
    return Route(
        method="ANY" if path == _DEFAULT else method,
        path="$default" if path == _DEFAULT else path,
        function_arn=function["arn"],
        authorizer=authorizers[name] if name else None,
        scopes=tuple(scopes),
        pattern=re.compile(".*" if path == _DEFAULT else _path_pattern(path)),
        labels=tuple(name for name, _greedy in _LABEL.findall(path)),
    )


def _path_pattern(path: str) -> str:
    """`/a/{b}` → a pattern with a group per label; a greedy label takes slashes, too."""
    parts, end = [], 0
    for label in _LABEL.finditer(path):
        parts.append(re.escape(path[end : label.start()]))
        parts.append("(.+)" if label["greedy"] else "([^/]+)")
        end = label.end()
    return "".join(parts) + re.escape(path[end:])
