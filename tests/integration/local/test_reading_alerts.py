"""Alerts and sightings of the running stack, read over HTTP with a token: real routes, roles and mapping."""

import importlib.util
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import new_token
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.builders import a_sighting_row, an_alert_item, an_alert_record

Client = Callable[[str], Any]
Call = Callable[..., tuple[int, dict[str, Any]]]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def runtime(repository: Path) -> Iterator[Runtime]:
    with Runtime(RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0)) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime, client_of: Callable[[Runtime], Client]) -> Client:
    return client_of(runtime)


@pytest.fixture(scope="module")
def call(runtime: Runtime) -> Call:
    token = new_token(Stack(Target(runtime.aws_url, "us-east-1")))

    def request(method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"}
        sent = urllib.request.Request(runtime.api_url + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    return request


@pytest.fixture(scope="module")
def raise_alert(client: Client) -> Callable[[int], str]:
    def write(number: int) -> str:
        record = an_alert_record(number, seen_at=NOW + timedelta(seconds=number))
        tables = client("dynamodb").list_tables()["TableNames"]
        (table,) = (name for name in tables if "AlertsTable" in name)
        client("dynamodb").put_item(TableName=table, Item=an_alert_item(record))
        return record.alert_id

    return write


def test_an_alert_is_found_acknowledged_and_resolved(call: Call, raise_alert: Callable[[int], str]) -> None:
    alert_id = raise_alert(1)

    for query in ("", "?device_id=gate-3", "?person_id=ada&status=open"):
        status, page = call("GET", f"/alerts{query}")
        assert (status, [alert["alert_id"] for alert in page["items"]]) == (200, [alert_id])
    assert call("POST", f"/alerts/{alert_id}/acknowledge")[1]["review"]["by"] == "sightline-cli"
    assert call("POST", f"/alerts/{alert_id}/resolve", {"verdict": False})[0] == 200
    assert call("GET", f"/alerts/{alert_id}")[1]["review"]["status"] == "resolved"


def test_rows_of_the_sightings_stream_become_sightings_and_a_journey(
    runtime: Runtime, client: Client, call: Call
) -> None:
    rows = [a_sighting_row(float(n), device_id=f"gate-{n // 3}", visit_id=f"vi-{n // 3}") for n in range(6)]
    for row in rows:
        row["recorded_at"] = NOW.isoformat()
    payloads = [json.dumps(row).encode() for row in rows] + [b"this is no row"]
    client("kinesis").put_records(
        StreamName=runtime.outputs["SightingsStreamName"],
        Records=[{"Data": payload, "PartitionKey": "gate-0"} for payload in payloads],
    )

    deadline = time.monotonic() + 30
    while len(call("GET", "/sightings?person_id=ada")[1]["items"]) < 6 and time.monotonic() < deadline:
        time.sleep(0.2)

    assert call("GET", "/sightings?device_id=gate-1")[1]["items"] == rows[:2:-1]
    visits = call("GET", "/people/ada/journey")[1]["items"]
    assert [(visit["device_id"], visit["frames"]) for visit in visits] == [("gate-0", 3), ("gate-1", 3)]
    bucket = runtime.outputs["ParkedRecordsBucketName"]
    parked = client("s3").list_objects_v2(Bucket=bucket, Prefix="parked/")["Contents"]
    assert len(parked) == 1


def test_watch_prints_a_new_alert_and_ends_with_ctrl_c(
    runtime: Runtime, raise_alert: Callable[[int], str]
) -> None:
    raise_alert(2)
    port = runtime.aws_url.rpartition(":")[2]
    command = [sys.executable, "-m", "sightline_cli.main", "watch", "--json", "--device", "gate-3"]
    watch = subprocess.Popen(
        [*command, "--aws-port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert watch.stdout is not None
        assert watch.stderr is not None
        assert watch.stderr.readline().startswith("watching for alerts")
        alert_id = raise_alert(3)

        told = json.loads(watch.stdout.readline())

        assert (told["event"], told["alert"]["alert_id"]) == ("alert", alert_id)
    finally:
        watch.send_signal(signal.SIGINT)
        out, err = watch.communicate(timeout=20)
    assert (out, err, watch.returncode) == ("", "", 130)


def test_the_webhook_of_the_documents_is_confirmed_and_gets_what_the_topic_publishes(
    runtime: Runtime, client: Client, repository: Path
) -> None:
    spec = importlib.util.spec_from_file_location("webhook", repository / "docs" / "examples" / "webhook.py")
    assert spec is not None
    assert spec.loader is not None
    webhook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(webhook)
    webhook.AWS_HOST = re.compile(re.escape(f"{runtime.aws_url}/"))  # our SNS signs under its own address
    topic, got = runtime.outputs["AlertsTopicArn"], queue.Queue[dict[str, Any]]()
    server = webhook.serve(topic, 0, got.put)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        sns = client("sns")
        endpoint = f"http://127.0.0.1:{server.server_port}/"
        arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint, ReturnSubscriptionArn=True)[
            "SubscriptionArn"
        ]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
            if attributes["PendingConfirmation"] == "false":
                break
            time.sleep(0.1)
        assert attributes["PendingConfirmation"] == "false"
        alert = an_alert_record().body
        texts = {"default": json.dumps(alert), "email": "Ada was seen", "sms": "Ada seen"}
        sns.publish(TopicArn=topic, Subject="Ada seen", MessageStructure="json", Message=json.dumps(texts))

        assert got.get(timeout=20) == alert
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
