"""HTTP events of API Gateway through the door of presence_api, on moto."""

import importlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.clock import to_iso, utc_now
from sightline.deliveries import Delivery
from sightline.presence.dynamo import DynamoPresences
from sightline.presence.service import PresenceRecorder
from tests.builders import a_lambda_context, a_sighting_row, an_http_event
from tests.fakes.presence import FakeSetAside
from tests.fakes.tables import create_table

Answer = tuple[int, dict[str, Any]]
Send = Callable[[dict[str, str]], Answer]


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("PRESENCE_TABLE", "presence")
    monkeypatch.setenv("PRESENCE_MINUTES", "15")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        indexes = {"by_site": ["site", "person_id"], "by_device": ["device_id", "person_id"]}
        create_table(client, "presence", ["person_id"], **indexes)
        yield client


@pytest.fixture
def send(dynamodb: Any, event: Callable[[str], dict[str, Any]]) -> Iterator[Send]:
    del dynamodb
    handler = importlib.import_module("functions.presence_api.handler")
    handler.book.cache_clear()

    def send_event(query: dict[str, str]) -> Answer:
        sent = an_http_event(event("presence_api/list_on_site"), queryStringParameters=query)
        answer = handler.lambda_handler(sent, a_lambda_context("presence_api"))
        return answer["statusCode"], json.loads(answer["body"])

    yield send_event
    handler.book.cache_clear()


def saw(dynamodb: Any, *rows: dict[str, Any]) -> None:
    presences = DynamoPresences(dynamodb, "presence", timedelta(days=30))
    worker = PresenceRecorder(presences, FakeSetAside(), "sightings", utc_now)
    worker.record_presence([Delivery("sn", json.dumps(row).encode()) for row in rows])


def a_row(minutes_ago: float, person_id: str, **changes: Any) -> dict[str, Any]:
    seen_at = to_iso(utc_now() - timedelta(minutes=minutes_ago))
    return a_sighting_row(person_id=person_id, seen_at=seen_at, visit_id=f"vi-{person_id}", **changes)


def test_the_question_who_is_on_a_site_is_answered_page_by_page(
    dynamodb: Any, send: Send, event: Callable[[str], dict[str, Any]]
) -> None:
    saw(dynamodb, *(a_row(1, name) for name in ("ada", "grace", "mary")))
    saw(dynamodb, a_row(1, "joan", site="Airport"), a_row(16, "edith"))
    query = event("presence_api/list_on_site")["queryStringParameters"]

    status, page = send(query)
    _, last = send(query | {"cursor": page["next_cursor"]})

    assert status == 200
    assert [each["person_id"] for each in page["items"]] == ["ada", "grace"]
    assert [each["person_id"] for each in last["items"]] == ["mary"]
    assert last["next_cursor"] is None
    assert {each["site"] for each in page["items"]} == {"Harbour"}


def test_a_person_is_told_with_place_and_time(dynamodb: Any, send: Send) -> None:
    begin, end = a_row(30, "ada"), a_row(20, "ada")
    saw(dynamodb, begin, end)

    _, page = send({"person_id": "ada"})

    assert page == {
        "items": [
            {
                "person_id": "ada",
                "person_name": "Ada Lovelace",
                "device_id": "gate-3",
                "site": "Harbour",
                "visit_id": "vi-ada",
                "since": begin["seen_at"],
                "last_seen_at": end["seen_at"],
                "on_site": False,
            }
        ],
        "next_cursor": None,
    }


def test_filters_work_together(dynamodb: Any, send: Send) -> None:
    saw(dynamodb, a_row(1, "ada"), a_row(1, "grace", device_id="gate-4"))

    def who(**query: str) -> list[str]:
        return [each["person_id"] for each in send(query)[1]["items"]]

    assert sorted(who()) == ["ada", "grace"]
    assert who(device_id="gate-4") == ["grace"]
    assert who(device_id="gate-4", site="Harbour") == ["grace"]
    assert who(device_id="gate-4", person_id="ada") == []
    assert who(person_id="ada", on_site="false") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"on_site": "yes"}, "on_site"),
        ({"site": ""}, "site"),
        ({"site": "x" * 201}, "site"),
        ({"person_id": ""}, "person_id"),
        ({"person": "ada"}, "person"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "not one of ours"}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(send: Send, query: dict[str, str], field: str) -> None:
    status, problem = send(query)

    assert status == 400
    assert [each["field"] for each in problem["errors"]] == [field]
