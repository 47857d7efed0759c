"""The HTTP API as the program sees it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from sightline_cli.api import ApiClient, ApiError, problem_line
from sightline_cli.errors import CliError


@dataclass
class Answer:
    status: int
    data: bytes = b""


class FakeHttp:
    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, str]] = []

    def request(self, method: str, url: str, *, body: bytes | None, headers: dict[str, str]) -> Any:
        self.requests.append((method, url, headers["Authorization"]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_client(*answers: Answer | Exception) -> tuple[ApiClient, FakeHttp]:
    http, numbers = FakeHttp(*answers), iter(range(1, 9))
    return ApiClient("http://api/", lambda: f"token{next(numbers)}", http), http


def test_a_token_is_fetched_once_and_anew_when_it_is_refused() -> None:
    api, http = a_client(Answer(200, b"{}"), Answer(401), Answer(200, b'{"items": []}'))

    api.get("/people")
    found = api.get("/people")

    assert found == {"items": []}
    assert [authorization for _, _, authorization in http.requests] == ["Bearer token1"] * 2 + [
        "Bearer token2"
    ]


def test_a_token_that_is_refused_twice_is_an_error() -> None:
    api, _ = a_client(
        Answer(401, b'{"message": "Unauthorized"}'), Answer(401, b'{"message": "Unauthorized"}')
    )

    with pytest.raises(ApiError, match="Unauthorized"):
        api.get("/people")


def test_an_unknown_device_is_told_with_what_to_do() -> None:
    api, http = a_client(Answer(404, b'{"detail": "not found"}'))

    with pytest.raises(ApiError, match="no device 'gate 3' here: register it with POST /devices"):
        api.device("gate 3")

    assert http.requests[0][1] == "http://api/devices/gate%203"


def test_an_api_that_is_gone_is_one_line() -> None:
    api, _ = a_client(urllib3.exceptions.NewConnectionError(None, "refused"))  # type: ignore[arg-type]

    with pytest.raises(CliError, match="the API at http://api does not answer"):
        api.get("/people")


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (400, {"title": "Bad Request", "detail": "The photo shows no face."}, "The photo shows no face."),
        (
            400,
            {
                "detail": "The request is not valid.",
                "errors": [{"field": "device_id", "message": "has spaces"}],
            },
            "The request is not valid. (device_id has spaces)",
        ),
        (401, {"message": "Unauthorized"}, "Unauthorized"),
        (503, {"title": "Service Unavailable"}, "Service Unavailable"),
        (500, ["unexpected"], "the API answered 500"),
    ],
)
def test_a_problem_becomes_one_line(status: int, body: Any, line: str) -> None:
    assert problem_line(status, json.dumps(body).encode()) == line


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xff"])
def test_an_answer_that_is_no_json_is_told_by_its_status(data: bytes) -> None:
    assert problem_line(502, data) == "the API answered 502"
