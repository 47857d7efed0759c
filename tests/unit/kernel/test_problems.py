import base64
import json
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from sightline.errors import (
    ConflictError,
    DomainError,
    FieldError,
    NotFoundError,
    RejectedError,
    TooLargeError,
    UnavailableError,
)
from sightline.problems import answer_errors_as_problems, read_body


class Door(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    height: float = 2.0


def call(
    error: Exception | None = None, body: str | None = None, path: str = "/doors", **more: Any
) -> dict[str, Any]:
    app = APIGatewayHttpResolver()
    answer_errors_as_problems(app)

    @app.post("/doors")
    def post() -> dict[str, str]:
        if error is not None:
            raise error
        return {"name": read_body(app.current_event, Door).name}

    http = {"method": "POST", "path": path, "protocol": "HTTP/1.1"}
    event = {
        "version": "2.0",
        "rawPath": path,
        "body": body,
        "requestContext": {"http": http, "stage": "$default"},
    }
    return app.resolve(event | more, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (RejectedError("d"), 400, "Bad Request"),
        (NotFoundError("d"), 404, "Not Found"),
        (ConflictError("d"), 409, "Conflict"),
        (TooLargeError("d"), 413, "Request Entity Too Large"),
        (UnavailableError("d"), 503, "Service Unavailable"),
    ],
)
def test_a_domain_error_is_a_problem_document(error: DomainError, status: int, title: str) -> None:
    response = call(error)

    problem = json.loads(response["body"])
    assert response["statusCode"] == problem["status"] == status
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"] in {title, "Content Too Large"}  # renamed in Python 3.13
    assert problem["detail"] == "d"
    assert "errors" not in problem


def test_wrong_fields_are_listed() -> None:
    response = call(RejectedError("d", [FieldError("a.b", "is odd")]))

    assert json.loads(response["body"])["errors"] == [{"field": "a.b", "message": "is odd"}]


def test_when_to_come_back_is_a_header() -> None:
    assert call(ConflictError("d", retry_after_seconds=3))["headers"]["Retry-After"] == "3"
    assert "Retry-After" not in call(ConflictError("d"))["headers"]
    assert call(UnavailableError("d"))["headers"]["Retry-After"] == "2"


def test_an_unknown_route_is_a_problem_document() -> None:
    response = call(path="/windows")

    assert (response["statusCode"], json.loads(response["body"])["status"]) == (404, 404)
    assert response["headers"]["Content-Type"] == "application/problem+json"


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        call(ZeroDivisionError())


@pytest.mark.parametrize("body", [None, "", "{", "name=x", "nul", "\ud800"])
def test_a_body_that_is_not_json_is_refused(body: str | None) -> None:
    response = call(body=body)

    assert response["statusCode"] == 400
    assert json.loads(response["body"])["detail"] == "The request body is not JSON."


@pytest.mark.parametrize("body", ["[]", "3", "null", '"x"'])
def test_a_body_that_is_not_an_object_is_refused(body: str) -> None:
    assert json.loads(call(body=body)["body"])["detail"] == "The request body must be a JSON object."


def test_a_body_sent_as_base64_is_read() -> None:
    sent = base64.b64encode(b'{"name": "M\xc3\xbcller"}').decode()

    response = call(body=sent, isBase64Encoded=True)

    assert (response["statusCode"], json.loads(response["body"])) == (200, {"name": "Müller"})


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b"\xff\xfe\x00").decode(), "AAA"])
def test_a_broken_base64_body_is_refused(body: str) -> None:
    assert call(body=body, isBase64Encoded=True)["statusCode"] == 400


def test_missing_unknown_and_wrong_fields_are_named_together() -> None:
    response = call(body='{"height": "tall", "colour": "red"}')

    assert json.loads(response["body"])["errors"] == [
        {"field": "name", "message": "is required"},
        {"field": "height", "message": "should be a valid number, unable to parse string as a number"},
        {"field": "colour", "message": "is not a field of this resource"},
    ]
