"""Routes of the OpenAPI document that SAM writes."""

from typing import Any

import pytest

from sightline_local.errors import LocalRuntimeError
from sightline_local.triggers.http_routes import Routes

URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:123456789012:function:{}/invocations"
)


def operation(function: str = "f", **more: Any) -> dict[str, Any]:
    integration = {
        "httpMethod": "POST",
        "type": "aws_proxy",
        "uri": URI.format(function),
        "payloadFormatVersion": "2.0",
    }
    return {"x-amazon-apigateway-integration": integration, "responses": {}, **more}


def routes(*keys: str) -> Routes:
    paths: dict[str, dict[str, Any]] = {}
    for key in keys:
        method, _, path = key.rpartition(" ")
        verb = "x-amazon-apigateway-any-method" if method in ("ANY", "") else method.lower()
        paths.setdefault(path, {})[verb] = operation()
    return Routes({"openapi": "3.0.1", "info": {}, "paths": paths, "tags": []})


def found(table: Routes, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    match = table.find(method, path)
    return None if match is None else (match.route.key, dict(match.path_parameters))


def test_a_route_is_found_by_method_and_path() -> None:
    table = routes("GET /devices", "POST /devices", "GET /devices/{device_id}")

    assert found(table, "POST", "/devices") == ("POST /devices", {})
    assert found(table, "GET", "/devices/gate-1") == (
        "GET /devices/{device_id}",
        {"device_id": "gate-1"},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/devices"),
        ("GET", "/device"),
        ("GET", "/devices/"),
        ("GET", "/devices/a/b"),
        ("GET", "/"),
    ],
)
def test_what_no_route_names_is_not_found(method: str, path: str) -> None:
    assert found(routes("GET /devices", "GET /devices/{device_id}"), method, path) is None


def test_a_label_takes_one_segment_and_is_decoded() -> None:
    table = routes("GET /people/{id}/faces")

    assert found(table, "GET", "/people/a%20b%2Fc/faces") == ("GET /people/{id}/faces", {"id": "a b/c"})


def test_a_greedy_label_takes_the_rest() -> None:
    assert found(routes("ANY /files/{proxy+}"), "PUT", "/files/a/b/c.txt") == (
        "ANY /files/{proxy+}",
        {"proxy": "a/b/c.txt"},
    )


def test_the_most_specific_route_wins() -> None:
    table = routes("ANY /$default", "ANY /{proxy+}", "GET /a/{id}", "GET /a/b", "ANY /a/b")

    assert found(table, "GET", "/a/b") == ("GET /a/b", {})
    assert found(table, "PUT", "/a/b") == ("ANY /a/b", {})
    assert found(table, "GET", "/a/c") == ("GET /a/{id}", {"id": "c"})
    assert found(table, "GET", "/x/y") == ("ANY /{proxy+}", {"proxy": "x/y"})


def test_default_takes_what_nothing_else_takes() -> None:
    assert found(routes("ANY /$default", "GET /a"), "POST", "/whatever/else") == ("$default", {})


def test_a_route_knows_function_authorizer_and_scopes() -> None:
    jwt = {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://issuer", "audience": ["me"]},
    }
    document = {
        "paths": {"/a": {"get": operation("reader", security=[{"Tokens": ["read"]}])}},
        "components": {
            "securitySchemes": {"Tokens": {"type": "oauth2", "x-amazon-apigateway-authorizer": jwt}}
        },
    }

    match = Routes(document).find("GET", "/a")

    assert match is not None
    assert match.route.function_arn.endswith(":function:reader")
    assert match.route.authorizer is not None
    assert (match.route.authorizer.issuer, match.route.authorizer.header) == (
        "https://issuer",
        "authorization",
    )
    assert match.route.scopes == ("read",)


@pytest.mark.parametrize(
    "document",
    [
        {"paths": {"/a": {"get": {"responses": {}}}}},
        {"paths": {"/a": {"get": operation(security=[{"Unknown": []}])}}},
        {"paths": {"/a": {"connect": operation()}}},
        {"paths": {}, "x-amazon-apigateway-importexport-version": "1.0"},
        {
            "paths": {},
            "components": {"securitySchemes": {"L": {"x-amazon-apigateway-authorizer": {"type": "request"}}}},
        },
    ],
)
def test_what_cannot_be_served_exactly_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(LocalRuntimeError):
        Routes(document)
