"""The HTTP API over real HTTP: tokens, routes, payloads, permissions."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from sightline_local.triggers.http_api import HttpApiServer, serve_http_api

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
SECURITY: dict[str, Any] = {"security": [{"Tokens": []}]}
HANDLER = """
import base64, json
def handle(event, context):
    path = event["rawPath"]
    if path == "/bad": raise ValueError("a secret of the function")
    if path == "/malformed": return {"statusCode": "many"}
    if path == "/bare": return {"plain": True}
    if path == "/bytes":
        return {"statusCode": 200, "isBase64Encoded": True, "body": event["body"], "cookies": ["a=1", "b=2"]}
    return {"statusCode": 201, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


@cache
def key() -> RSAKey:
    generated = RSAKey.generate_key(2048, private=True)
    return RSAKey.import_key({**generated.as_dict(private=True), "kid": "k"})


def token(**changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "client_id": "me", "exp": now + 60, "iat": now, "sub": "u", **changes}
    signed: str = jwt.encode({"alg": "RS256", "kid": "k"}, claims, key())
    return signed


def document(function_arn: str) -> dict[str, Any]:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
    integration = {
        "x-amazon-apigateway-integration": {
            "httpMethod": "POST",
            "type": "aws_proxy",
            "uri": uri,
            "payloadFormatVersion": "2.0",
        }
    }
    public, closed = integration, {**integration, **SECURITY}
    authorizer = {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": ISSUER, "audience": ["me"]},
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/devices/{device_id}": {"get": closed, "post": closed},
            **{path: {"x-amazon-apigateway-any-method": public} for path in ("/bad", "/malformed", "/bare")},
            "/bytes": {"post": public},
            "/unpermitted": {"get": public},
        },
        "components": {
            "securitySchemes": {"Tokens": {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}}
        },
    }


@pytest.fixture
def api(cloud: Any) -> Iterator[HttpApiServer]:
    arn = cloud.function("web", HANDLER)
    for number, path in enumerate(("*/devices/*", "*/bad", "*/malformed", "*/bare", "*/bytes")):
        cloud.functions.permissions.add(
            arn,
            f"s{number}",
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            source_arn=f"arn:aws:execute-api:us-east-1:123456789012:an-api/*/{path}",
        )
    jwks = lambda _issuer: {"keys": [key().as_dict(private=False)]}  # noqa: E731
    with serve_http_api(document(arn), cloud.functions, jwks, 0, api_id="an-api") as server:
        yield server


@pytest.fixture
def ask(api: HttpApiServer) -> Iterator[Callable[..., Any]]:
    """One connection for all requests of a test: what one leaves behind would hurt the next."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)

    def send(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        connection.request(method, path, body, {n.replace("_", "-"): v for n, v in headers.items()})
        response = connection.getresponse()
        content = response.read()
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return response.status, json.loads(content) if is_json and content else content, response.headers

    yield send
    connection.close()


def test_a_request_with_a_token_reaches_the_function(ask: Callable[..., Any]) -> None:
    status, event, _ = ask(
        "POST",
        "/devices/gate%201?x=1&x=2",
        '{"name": "Gate"}',
        authorization=f"Bearer {token()}",
        content_type="application/json",
        cookie="a=1; b=2",
    )

    assert status == 201
    assert event["routeKey"] == "POST /devices/{device_id}"
    assert (event["rawPath"], event["rawQueryString"]) == ("/devices/gate 1", "x=1&x=2")
    assert event["pathParameters"] == {"device_id": "gate 1"}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"name": "Gate"}', False)
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["content-type"] == "application/json"
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "u"


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer nonsense"}, {"authorization": "expired"}],
    ids=["no token", "nonsense", "expired"],
)
def test_without_a_good_token_the_answer_is_401(ask: Callable[..., Any], headers: dict[str, str]) -> None:
    if headers.get("authorization") == "expired":
        headers = {"authorization": f"Bearer {token(exp=int(time.time()) - 1)}"}

    status, body, answered = ask("GET", "/devices/a", **headers)

    assert (status, body) == (401, {"message": "Unauthorized"})
    assert answered["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("DELETE", "/devices/a"), ("GET", "/nothing")])
def test_what_is_no_route_is_not_found(ask: Callable[..., Any], method: str, path: str) -> None:
    assert ask(method, path)[:2] == (404, {"message": "Not Found"})


@pytest.mark.parametrize("path", ["/bad", "/malformed"])
def test_a_function_that_fails_is_a_500_that_tells_nothing(ask: Callable[..., Any], path: str) -> None:
    assert ask("GET", path)[:2] == (500, {"message": "Internal Server Error"})


def test_a_route_without_a_permission_of_the_function_is_a_500(ask: Callable[..., Any]) -> None:
    assert ask("GET", "/unpermitted")[:2] == (500, {"message": "Internal Server Error"})


def test_a_bare_value_is_a_200(ask: Callable[..., Any]) -> None:
    assert ask("PUT", "/bare")[:2] == (200, {"plain": True})


def test_bytes_come_back_as_they_went(ask: Callable[..., Any]) -> None:
    data = bytes(range(256)) * 100

    status, body, headers = ask("POST", "/bytes", data, content_type="image/jpeg")

    assert (status, body) == (200, data)
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_a_body_over_ten_megabytes_is_413_and_the_next_request_is_well(api: HttpApiServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
    connection.putrequest("POST", "/bytes")
    connection.putheader("content-length", str(10 * 1024 * 1024 + 1))
    connection.endheaders()

    response = connection.getresponse()

    assert (response.status, json.loads(response.read())) == (413, {"message": "Request Entity Too Large"})
    assert response.headers["connection"] == "close"


def test_a_chunked_body_arrives(ask: Callable[..., Any]) -> None:
    status, body, _ = ask("POST", "/bytes", iter([b"ab", b"cd"]), content_type="image/jpeg")

    assert (status, body) == (200, b"abcd")
    assert ask("GET", "/bare")[0] == 200
