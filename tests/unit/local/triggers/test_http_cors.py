"""CORS settings of an HTTP API that cannot be, and what the others answer."""

from typing import Any

import pytest

from sightline_local.errors import LocalRuntimeError
from sightline_local.triggers.http_cors import Cors, cors_of
from sightline_local.triggers.http_event import HttpRequest, HttpResponse

EXTENSION = "x-amazon-apigateway-cors"


def cors(**settings: Any) -> Cors:
    found = cors_of({EXTENSION: settings})
    assert found is not None
    return found


def request(method: str = "GET", **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method=method, raw_path="/", query="", headers=named, body=b"")


def test_an_api_without_settings_has_no_cors() -> None:
    assert cors_of({"paths": {}}) is None


def test_any_origin_is_answered_with_a_star() -> None:
    answer = cors(allowOrigins=["*"]).applied(request(origin="https://a"), HttpResponse(200))

    assert answer.headers == {"access-control-allow-origin": "*"}


def test_an_options_request_that_is_no_preflight_is_routed() -> None:
    assert cors(allowOrigins=["*"]).preflight(request("OPTIONS", origin="https://a")) is None
    assert cors(allowOrigins=["*"]).preflight(request("OPTIONS", access_control_request_method="PUT")) is None


def test_what_is_not_set_is_not_answered() -> None:
    asked = request("OPTIONS", origin="https://a", access_control_request_method="PUT")

    answer = cors(allowOrigins=["https://a"]).preflight(asked)

    assert answer is not None
    assert answer.headers == {"access-control-allow-origin": "https://a"}


@pytest.mark.parametrize(
    "settings",
    [
        {"allowOrigins": ["*"], "allowCredentials": True},
        {"allowOrigins": "*"},
        {"allowOrigins": ["example.com"]},
        {"allowMethods": ["BREW"]},
        {"maxAge": 86_401},
        {"allowOrigin": ["*"]},
    ],
    ids=str,
)
def test_settings_that_api_gateway_refuses_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(LocalRuntimeError, match="HTTP API"):
        cors(**settings)
