"""HTTP events of API Gateway through the door of alerts_api, on moto."""

import base64
import importlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from sightline.clock import utc_now
from sightline.history.dynamo import DynamoKeptSightings
from sightline.history.row import read_row
from sightline.review.model import AlertRecord
from tests.builders import a_lambda_context, a_sighting_row, an_alert_item, an_alert_record, an_http_event
from tests.fakes.tables import create_alerts_table, create_sightings_table

Answer = tuple[int, dict[str, Any]]
Send = Callable[..., Answer]
EVER = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "ALERTS_TABLE": "alerts",
        "ALERTS_DAYS": "90",
        "SIGHTINGS_TABLE": "sightings",
        "SIGHTINGS_DAYS": "3650",
        "EVIDENCE_BUCKET": "evidence",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_alerts_table(client)
        create_sightings_table(client)
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="evidence")
        yield client


def _changed(
    sent: dict[str, Any],
    *,
    query: dict[str, str] | None = None,
    body: object = None,
    claims: dict[str, str] | None = None,
    path: str | None = None,
) -> dict[str, Any]:
    if claims is not None:
        sent["requestContext"]["authorizer"]["jwt"]["claims"] = claims
    changes = {"queryStringParameters": query, "rawPath": path}
    return an_http_event(
        sent, body=body, **{name: value for name, value in changes.items() if value is not None}
    )


@pytest.fixture
def send(dynamodb: Any, event: Callable[[str], dict[str, Any]]) -> Iterator[Send]:
    """send("read_alert", query={...}, body={...}, claims={...}, path=...) → status, body"""
    del dynamodb
    handler = importlib.import_module("functions.alerts_api.handler")
    for cached in (handler.alerts, handler.history, handler.evidence):
        cached.cache_clear()

    def send_event(name: str, **changes: Any) -> Answer:
        sent = _changed(event(f"alerts_api/{name}"), **changes)
        response = handler.lambda_handler(sent, a_lambda_context("alerts_api"))
        if response["statusCode"] >= 400:
            assert response["headers"]["Content-Type"] == "application/problem+json"
        return response["statusCode"], json.loads(response["body"] or "{}")

    yield send_event
    for cached in (handler.alerts, handler.history, handler.evidence):
        cached.cache_clear()


def raise_alerts(dynamodb: Any, *alerts: AlertRecord) -> None:
    for alert in alerts:
        dynamodb.put_item(TableName="alerts", Item=an_alert_item(alert))


def see(dynamodb: Any, *rows: dict[str, Any]) -> None:
    table = DynamoKeptSightings(dynamodb, "sightings", timedelta(days=3650), utc_now, lambda _: None)
    assert table.put([read_row(json.dumps(row).encode()) for row in rows]) == frozenset()


def test_alerts_are_listed_newest_first_a_page_at_a_time(dynamodb: Any, send: Send) -> None:
    now = utc_now()
    raise_alerts(dynamodb, *(an_alert_record(n, seen_at=now - timedelta(hours=10 * n)) for n in range(5)))

    found, cursor, pages = [], None, 0
    while pages < 10:
        query = {"limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        status, page = send("list_alerts", query=query)
        assert status == 200
        found += [alert["alert_id"] for alert in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None:
            break

    assert found == [an_alert_record(n).alert_id for n in range(5)]


def test_the_filters_of_the_query_narrow_the_list(dynamodb: Any, send: Send) -> None:
    raise_alerts(
        dynamodb,
        an_alert_record(1),
        an_alert_record(2, severity="low"),
        an_alert_record(3, device_id="gate-4"),
        an_alert_record(4, state="pending", sent_at=None),
    )

    status, page = send("list_alerts_filtered")

    assert status == 200
    assert [alert["alert_id"] for alert in page["items"]] == [an_alert_record(1).alert_id]
    assert page["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"severity": "loud"}, "severity"),
        ({"state": "open"}, "state"),
        ({"status": "sent"}, "status"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"}, "to"),
        ({"device_id": ""}, "device_id"),
        ({"device": "gate-3"}, "device"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "djE6Z2F0ZS0z"}, "cursor"),  # of GET /devices
    ],
)
def test_a_wrong_query_is_refused_with_the_parameter(send: Send, query: dict[str, str], field: str) -> None:
    status, problem = send("list_alerts", query=query)

    assert status == 400
    assert [error["field"] for error in problem["errors"]] == [field]


def test_an_alert_is_read_as_it_was_published_with_what_became_of_it(dynamodb: Any, send: Send) -> None:
    alert = an_alert_record()
    raise_alerts(dynamodb, alert)

    status, told = send("read_alert")

    assert status == 200
    assert told == alert.to_json() | {"evidence": {"status": "pending"}}
    assert told["review"]["status"] == "open"
    assert send("read_alert", path="/alerts/al-none")[0] == 404
    assert send("read_alert", path=f"/alerts/{'x' * 3000}")[0] == 404


def test_once_the_evidence_is_there_the_alert_links_to_it(dynamodb: Any, send: Send) -> None:
    alert = an_alert_record(body={"alert_id": "al-1", "evidence": {"status": "pending", "face_index": 0}})
    raise_alerts(dynamodb, alert)
    manifest = {"status": "complete", "missing": {}, "files": [{"name": "frame.jpg"}, {"name": "clip.mp4"}]}
    boto3.client("s3", region_name="us-east-1").put_object(
        Bucket="evidence", Key=f"alerts/{alert.alert_id}/manifest.json", Body=json.dumps(manifest)
    )

    evidence = send("read_alert")[1]["evidence"]

    assert (evidence["status"], evidence["face_index"]) == ("complete", 0)
    assert f"alerts/{alert.alert_id}/frame.jpg?" in evidence["frame_url"]
    assert "X-Amz-Signature" in evidence["clip_url"]


def test_an_alert_is_read_although_its_evidence_cannot_be(dynamodb: Any, send: Send) -> None:
    alert = an_alert_record()
    raise_alerts(dynamodb, alert)

    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.us-east-1.amazonaws.com")

    handler = importlib.import_module("functions.alerts_api.handler")
    handler.evidence().client.meta.events.register("before-call.s3.GetObject", refuse)

    assert send("read_alert") == (200, alert.to_json())


def test_an_alert_is_acknowledged_and_then_resolved_by_whoever_the_token_names(
    dynamodb: Any, send: Send
) -> None:
    raise_alerts(dynamodb, an_alert_record())

    first = send("acknowledge")
    again = send("acknowledge_without_body", claims={"sub": "somebody-else"})
    resolved = send("resolve", claims={"sub": "b7c2f0de"})
    read = send("read_alert")

    assert first[0] == 200
    assert (first[1]["review"]["status"], first[1]["review"]["by"]) == ("acknowledged", "operator")
    assert first[1]["review"]["note"] == "on my way"
    assert again == first
    assert resolved[1]["review"] | {"at": None} == {
        "status": "resolved",
        "by": "b7c2f0de",
        "at": None,
        "verdict": True,
        "note": "talked to her",
        "acknowledged_by": "operator",
        "acknowledged_at": first[1]["review"]["at"],
    }
    assert read[1] | {"evidence": None} == resolved[1] | {"evidence": None}


def test_a_verdict_is_final(dynamodb: Any, send: Send) -> None:
    raise_alerts(dynamodb, an_alert_record())
    first = send("resolve", body={"verdict": False})

    assert send("resolve", body={"verdict": False, "note": "again"}) == first
    assert send("resolve", body={"verdict": True})[0] == 409
    assert send("acknowledge")[0] == 409
    assert send("read_alert")[1]["review"] == first[1]["review"]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("resolve", {}, "verdict"),
        ("resolve", {"verdict": "yes"}, "verdict"),
        ("resolve", {"verdict": True, "note": " "}, "note"),
        ("acknowledge", {"note": "x" * 1001}, "note"),
        ("acknowledge", {"by": "me"}, "by"),
    ],
)
def test_a_wrong_review_is_refused_with_the_field(
    dynamodb: Any, send: Send, name: str, body: dict[str, Any], field: str
) -> None:
    raise_alerts(dynamodb, an_alert_record())

    status, problem = send(name, body=body)

    assert status == 400
    assert [error["field"] for error in problem["errors"]] == [field]
    assert send("read_alert")[1]["review"]["status"] == "open"


def test_the_moves_of_an_unknown_alert_are_not_found(send: Send) -> None:
    assert send("acknowledge")[0] == 404
    assert send("resolve")[0] == 404


def test_sightings_of_a_device_are_listed_as_they_were_written(dynamodb: Any, send: Send) -> None:
    rows = [a_sighting_row(float(n)) for n in range(3)]
    see(dynamodb, *rows)

    status, first = send("list_sightings")
    _, second = send(
        "list_sightings", query={"device_id": "gate-3", "limit": "2", "cursor": first["next_cursor"]}
    )

    assert status == 200
    assert first["items"] == [rows[2], rows[1]]
    assert second == {"items": [rows[0]], "next_cursor": None}


def test_sightings_of_a_person_at_a_device_in_a_time_are_listed(dynamodb: Any, send: Send) -> None:
    see(
        dynamodb,
        *(a_sighting_row(float(n), device_id=f"gate-{n % 2}") for n in range(6)),
        a_sighting_row(3.0, person_id="grace", device_id="gate-1"),
    )
    query = {
        "person_id": "ada",
        "device_id": "gate-1",
        "from": "2026-11-22T13:02:10Z",
        "to": "2026-11-22T14:02:12+01:00",
    }

    _, page = send("list_sightings", query=query)

    assert [row["seen_at"] for row in page["items"]] == ["2026-11-22T13:02:10.000Z"]


@pytest.mark.parametrize("query", [{}, {"limit": "2"}, dict(EVER), {"site": "Harbour"}])
def test_sightings_of_everybody_everywhere_are_refused(send: Send, query: dict[str, str]) -> None:
    assert send("list_sightings", query=query)[0] == 400


def test_a_journey_is_the_visits_over_devices_in_order(dynamodb: Any, send: Send) -> None:
    see(
        dynamodb,
        a_sighting_row(0.0, device_id="gate-1", visit_id="vi-1", similarity=91.0),
        a_sighting_row(1.0, device_id="gate-1", visit_id="vi-1", similarity=98.25),
        a_sighting_row(60.0, device_id="gate-2", visit_id="vi-2"),
        a_sighting_row(90.0, device_id="gate-1", visit_id="vi-3"),
        a_sighting_row(95.0, person_id="grace", visit_id="vi-4"),
    )

    status, first = send("read_journey")
    _, second = send("read_journey", query={"limit": "2", "cursor": first["next_cursor"]})

    assert status == 200
    assert first["items"][0] == {
        "visit_id": "vi-1",
        "device_id": "gate-1",
        "site": "Harbour",
        "first_seen_at": "2026-11-22T13:02:07.000Z",
        "last_seen_at": "2026-11-22T13:02:08.000Z",
        "frames": 2,
        "best_similarity": 98.25,
    }
    assert [visit["visit_id"] for visit in first["items"] + second["items"]] == ["vi-1", "vi-2", "vi-3"]
    assert second["next_cursor"] is None


def test_somebody_who_was_never_seen_has_an_empty_journey(send: Send) -> None:
    assert send("read_journey", path="/people/nobody/journey") == (200, {"items": [], "next_cursor": None})
    assert send("read_journey", path=f"/people/{'x' * 3000}/journey")[1]["items"] == []
    assert send("read_journey", query={"device_id": "gate-1"})[0] == 400


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("list_alerts", "2026-11-22T13:02:07.000Z|" + "x" * 1000),
        ("list_sightings", "2026-11-22T13:02:07.000Z#" + "x" * 1000),
        ("read_journey", "2026-11-22T13:02:07.000Z#" + "x" * 1000 + "|"),
    ],
)
def test_a_cursor_that_somebody_made_up_is_refused(send: Send, name: str, key: str) -> None:
    cursor = base64.urlsafe_b64encode(f"v1:{key}".encode()).decode().rstrip("=")
    more = {"device_id": "gate-3"} if name == "list_sightings" else {}

    status, problem = send(name, query={"cursor": cursor, **more})

    assert (status, problem["errors"][0]["field"]) == (400, "cursor")
