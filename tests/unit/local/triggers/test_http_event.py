"""Payload format 2.0, in both directions."""

import base64
import json
from typing import Any

import pytest

from sightline_local.triggers.http_event import (
    HttpRequest,
    MalformedResponseError,
    event_of,
    response_of,
)
from sightline_local.triggers.http_routes import Routes

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


def event(
    path: str = "/people/ada/faces", query: str = "", body: bytes = b"", claims: Any = None, **headers: str
) -> dict[str, Any]:
    integration = {"uri": URI, "payloadFormatVersion": "2.0"}
    routes = Routes(
        {"paths": {"/people/{person_id}/faces": {"post": {"x-amazon-apigateway-integration": integration}}}}
    )
    match = routes.find("POST", path)
    assert match is not None
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return event_of(HttpRequest("POST", path, query, names, body), match, "an-api", claims)


def test_the_event_has_the_members_of_payload_format_2_0() -> None:
    made = event(query="a=1&a=2&b=x%20y", user_agent="curl/8", content_type="application/json", body=b"{}")

    context = made.pop("requestContext")
    assert made == {
        "version": "2.0",
        "routeKey": "POST /people/{person_id}/faces",
        "rawPath": "/people/ada/faces",
        "rawQueryString": "a=1&a=2&b=x%20y",
        "headers": {"user-agent": "curl/8", "content-type": "application/json"},
        "queryStringParameters": {"a": "1,2", "b": "x y"},
        "pathParameters": {"person_id": "ada"},
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert context["accountId"] == "123456789012"
    assert (context["apiId"], context["stage"]) == ("an-api", "$default")
    assert context["domainName"] == "an-api.execute-api.us-east-1.amazonaws.com"
    assert context["http"] == {
        "method": "POST",
        "path": "/people/ada/faces",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert "authorizer" not in context


def test_what_is_not_there_is_left_out() -> None:
    made = event()

    assert not {"body", "cookies", "queryStringParameters"} & made.keys()
    assert made["isBase64Encoded"] is False


def test_cookies_leave_the_headers() -> None:
    made = event(cookie="a=1; b=2", accept="*/*")

    assert made["cookies"] == ["a=1", "b=2"]
    assert made["headers"] == {"accept": "*/*"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json; charset=utf-8", "application/problem+json", "image/svg+xml"]
)
def test_a_body_that_is_text_stays_text(kind: str) -> None:
    made = event(body="grüße".encode(), content_type=kind)

    assert (made["body"], made["isBase64Encoded"]) == ("grüße", False)


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", "multipart/form-data", ""])
def test_any_other_body_is_base64(kind: str) -> None:
    made = event(body=b"\xff\xd8", content_type=kind)

    assert (base64.b64decode(made["body"]), made["isBase64Encoded"]) == (b"\xff\xd8", True)


def test_text_that_is_not_utf_8_is_base64() -> None:
    assert event(body=b"\xff", content_type="text/plain")["isBase64Encoded"] is True


def test_the_claims_of_the_token_are_in_the_authorizer() -> None:
    context = event(claims={"sub": "u", "exp": "1"})["requestContext"]

    assert context["authorizer"] == {"jwt": {"claims": {"sub": "u", "exp": "1"}, "scopes": None}}


def answered(value: Any) -> tuple[int, bytes, dict[str, str]]:
    response = response_of(json.dumps(value).encode())
    return response.status, response.body, dict(response.headers)


def test_a_response_with_a_status_code_is_taken_as_it_is() -> None:
    value = {"statusCode": 202, "headers": {"Content-Type": "application/json", "X-Count": 3}, "body": "{}"}

    assert answered(value) == (202, b"{}", {"content-type": "application/json", "x-count": "3"})


def test_a_binary_response_is_decoded() -> None:
    value = {"statusCode": "200", "body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}

    assert answered(value)[:2] == (200, b"\xff")


def test_cookies_of_a_response_become_headers_of_their_own() -> None:
    assert response_of(b'{"statusCode": 200, "cookies": ["a=1", "b=2"]}').cookies == ("a=1", "b=2")


@pytest.mark.parametrize(
    ("value", "body"), [({"a": 1}, b'{"a": 1}'), ("hello", b"hello"), (None, b"null"), ([1], b"[1]")]
)
def test_a_bare_value_is_a_200_of_json(value: Any, body: bytes) -> None:
    assert answered(value) == (200, body, {"content-type": "application/json"})


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": None},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
    ],
)
def test_a_response_that_is_none_is_malformed(value: Any) -> None:
    with pytest.raises(MalformedResponseError):
        answered(value)


def test_a_function_that_answers_no_json_is_malformed() -> None:
    with pytest.raises(MalformedResponseError):
        response_of(b"<html>")
