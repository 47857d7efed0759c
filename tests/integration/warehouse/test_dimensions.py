"""The tables of the application become the warehouse's dimensions, and a deployment changes its schema."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.watchlist.items import person_item
from tests.builders import a_device, a_person, an_alert_item, an_alert_record

_SERIALIZE = TypeSerializer().serialize


@pytest.fixture(scope="module", params=["serverless", "cluster"])
def stack(start_stack: Callable[[str], Any], request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from start_stack(request.param)


@pytest.fixture
def table(stack: Any) -> Callable[[str], str]:
    """Logical id → name."""

    def name(logical_id: str) -> str:
        found = stack.client("cloudformation").describe_stack_resource(
            StackName="sightline", LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    return name


@pytest.fixture
def put(stack: Any, table: Callable[[str], str]) -> Callable[[str, dict[str, Any]], None]:
    dynamodb = stack.client("dynamodb")
    return lambda where, item: dynamodb.put_item(TableName=table(where), Item=item)


Put = Callable[[str, dict[str, Any]], None]


def test_a_device_that_was_removed_stays_and_says_when(stack: Any, table: Callable[[str], str]) -> None:
    dynamodb, devices = stack.client("dynamodb"), table("DevicesTable")
    for device_id in ("gate-3", "gate-4"):
        DynamoDeviceStore(dynamodb, devices).add(a_device(device_id=device_id))
    stack.invoke("RefreshDimensions")
    dynamodb.delete_item(TableName=devices, Key={"device_id": {"S": "gate-4"}})

    stack.invoke("RefreshDimensions")

    found = stack.sql(
        "SELECT device_id, name, site, latitude, time_zone, similarity_threshold, removed_at IS NULL"
        " FROM devices ORDER BY 1"
    )
    same = ["Gate 3", "Harbour", 53.54, "Europe/Berlin", 92.5]
    assert found == [["gate-3", *same, True], ["gate-4", *same, False]]


def test_a_person_who_was_removed_is_forgotten_and_so_are_the_lists(
    stack: Any, put: Put, table: Callable[[str], str]
) -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    put("PeopleTable", person_item(a_person(watchlist_ids=("default", "vip"), expires_at=until)))
    put("PeopleTable", person_item(a_person(person_id="bob", name="Bob")))
    lists = {"vip": {"name": "Guests", "kind": "vip", "severity": "low"}}
    catalogue = {"catalogue_id": "watchlists", "version": 1, "lists": lists}
    put("WatchlistsTable", {name: _SERIALIZE(value) for name, value in catalogue.items()})
    assert stack.invoke("RefreshDimensions")["people"] == 2
    stack.client("dynamodb").delete_item(TableName=table("PeopleTable"), Key={"person_id": {"S": "bob"}})

    stack.invoke("RefreshDimensions")

    assert stack.sql("SELECT person_id, name, expires_at FROM people") == [
        ["ada", "Ada Lovelace", "2027-01-01 00:00:00"]
    ]
    on_lists = "SELECT l.name, m.person_id FROM watchlists l LEFT JOIN memberships m USING (watchlist_id)"
    assert stack.sql(f"{on_lists} ORDER BY 1") == [["Guests", "ada"], ["Watchlist", "ada"]]


def test_precision_counts_the_verdicts_of_alerts_also_when_they_come_later(stack: Any, put: Put) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    records = [
        an_alert_record(number, seen_at=now - timedelta(days=number), raised_at=now) for number in range(1, 5)
    ]

    def judge(number: int, *, verdict: bool) -> None:
        review = {"status": "resolved", "verdict": verdict, "by": "eve"}
        put("AlertsTable", an_alert_item(records[number]) | {"review": _SERIALIZE(review)})

    for record in records:
        put("AlertsTable", an_alert_item(record))
    judge(0, verdict=True)
    stack.invoke("RefreshDimensions")
    question = "SELECT SUM(alerts), SUM(judged), SUM(were_right) FROM alert_precision"
    assert stack.sql(question) == [[4, 1, 1]]
    judge(1, verdict=True)
    judge(2, verdict=False)

    stack.invoke("RefreshDimensions")

    assert stack.sql(question) == [[4, 3, 2]]
    assert stack.sql("SELECT alert_id FROM alerts WHERE seen_at IS NULL OR status IS NULL") == []


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """In the place of CloudFormation: an address for answers, and what came there."""
    answers: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:  # the name that http.server looks for
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/answer", answers
    finally:
        server.shutdown()
        server.server_close()


def request(kind: str, url: str) -> dict[str, Any]:
    same = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "WarehouseSchema"}
    return {"RequestType": kind, "ResponseURL": url, "PhysicalResourceId": "warehouse-schema", **same}


def test_a_schema_that_is_up_to_date_is_left_as_it_is(stack: Any) -> None:
    before = stack.sql("SELECT version, name, checksum, applied_at FROM migrations ORDER BY version")
    with listening() as (url, answers):
        stack.invoke("MigrateWarehouse", request("Update", url))

    assert [(answer["Status"], answer["PhysicalResourceId"]) for answer in answers] == [
        ("SUCCESS", "warehouse-schema")
    ]
    assert stack.sql("SELECT version, name, checksum, applied_at FROM migrations ORDER BY version") == before
    assert [row[0] for row in before] == list(range(1, len(before) + 1))


def test_to_remove_the_schema_removes_no_table(stack: Any) -> None:
    with listening() as (url, answers):
        stack.invoke("MigrateWarehouse", request("Delete", url))

    assert answers[0]["Status"] == "SUCCESS"
    assert stack.sql("SELECT COUNT(*) FROM sightings") == [[0]]


def test_a_file_that_was_changed_after_it_was_applied_fails_the_deployment_with_its_name(stack: Any) -> None:
    ((before,),) = stack.sql("SELECT checksum FROM migrations WHERE version = 2")
    stack.sql("UPDATE migrations SET checksum = 'of another text' WHERE version = 2")
    try:
        with listening() as (url, answers):
            stack.invoke("MigrateWarehouse", request("Update", url))
    finally:
        stack.sql(f"UPDATE migrations SET checksum = '{before}' WHERE version = 2")

    assert answers[0]["Status"] == "FAILED"
    assert answers[0]["Reason"].startswith("002_sightings.sql was changed after it had been applied")
