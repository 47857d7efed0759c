"""`sightline up`: the whole stack on this machine, and nothing of it afterwards."""

import base64
import io
import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from PIL import Image

from sightline_cli.demo.people import own_enrolment
from tests.e2e.program import Program, Up


def call(up: Up, token: str | None, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = urllib3.request(
        method, up.api_url + path, json=body, headers=headers, retries=False, timeout=60
    )
    return response.status, json.loads(response.data) if response.data else None


def settled(up: Up, token: str, device_id: str, seconds: float = 60) -> dict[str, Any] | None:
    """Read a device until it has come to rest; None once it is gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status, device = call(up, token, "GET", f"/devices/{device_id}")
        if status == 404:
            return None
        if device["state"] in {"running", "stopped", "failed"}:
            found: dict[str, Any] = device
            return found
        time.sleep(0.2)
    pytest.fail(f"device {device_id} never came to rest")


def client(up: Up, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=up.aws_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def test_a_stack_serves_its_api_and_aws_and_ctrl_c_leaves_nothing(
    up: Callable[[], Up], program: Program, tmp_path: Path
) -> None:
    stack = up()
    token = program.run("token", "--aws-port", stack.aws_port).out.strip()

    assert call(stack, None, "GET", "/devices") == (401, {"message": "Unauthorized"})
    assert call(stack, "nonsense", "GET", "/devices")[0] == 401
    assert call(stack, token, "GET", "/devices") == (200, {"items": [], "next_cursor": None})
    refuses_bad_input(stack, token)
    registers_a_device_once(stack, token)
    shows_itself_to_boto3(stack)
    shows_its_logs(stack, token, program)
    replays_what_is_well_formed(stack, program, tmp_path)
    refuses_an_unknown_device(stack, program, tmp_path)
    assert call(stack, token, "DELETE", "/devices/gate-3")[0] == 202
    assert settled(stack, token, "gate-3") is None

    done = program.interrupt(stack.child)

    assert done.code == 130
    assert done.err == ""
    assert program.left_behind() == []
    for url in (stack.api_url, stack.aws_url):
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", int(url.rsplit(":", 1)[1])))


def refuses_bad_input(stack: Up, token: str) -> None:
    for body, told in (
        ({"device_id": "gate 3"}, "device_id"),
        ({"device_id": "gate-3", "similarity_threshold": 0.9}, "percentage"),
        ({"device_id": "gate-3", "zones": [[[0, 0], [1, 1]]]}, "zones"),
        ({"device_id": "gate-3", "schedule": []}, "schedule"),
    ):
        status, problem = call(stack, token, "POST", "/devices", body)
        assert (status, problem["status"]) == (400, 400)
        assert told in json.dumps(problem)
    person_id = call(stack, token, "POST", "/people", {"name": "Ada"})[1]["person_id"]
    for photo, told in ((nobody(), "face"), (two_people(), "face"), (b"hello", "JPEG")):
        image = base64.b64encode(photo).decode()
        status, problem = call(stack, token, "POST", f"/people/{person_id}/faces", {"image": image})
        assert status == 400, problem
        assert told in problem["detail"]
    assert call(stack, token, "GET", f"/people/{person_id}/faces")[1]["items"] == []


def nobody() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (90, 120, 90)).save(out, "JPEG")
    return out.getvalue()


def two_people() -> bytes:
    portrait, out = Image.open(io.BytesIO(own_enrolment().photo)), io.BytesIO()
    both = Image.new("RGB", (portrait.width * 2, portrait.height))
    both.paste(portrait, (0, 0))
    both.paste(portrait, (portrait.width, 0))
    both.save(out, "JPEG")
    return out.getvalue()


def registers_a_device_once(stack: Up, token: str) -> None:
    body = {"device_id": "gate-3", "name": "Gate 3", "site": "north"}
    status, device = call(stack, token, "POST", "/devices", body)
    assert (status, device["state"]) == (202, "provisioning")
    running = settled(stack, token, "gate-3")
    assert running is not None
    assert running["state"] == "running", running["state_reason"]
    status, again = call(stack, token, "POST", "/devices", body)
    assert (status, again["video_stream_arn"]) == (200, running["video_stream_arn"])


def shows_itself_to_boto3(stack: Up) -> None:
    video = client(stack, "kinesisvideo").list_streams()["StreamInfoList"]
    processors = client(stack, "rekognition").list_stream_processors()["StreamProcessors"]
    items = client(stack, "dynamodb").scan(TableName=stack.outputs["DevicesTableName"])["Items"]

    assert [stream["StreamName"] for stream in video] == ["sightline-gate-3"]
    assert [(each["Name"], each["Status"]) for each in processors] == [("sightline-gate-3", "RUNNING")]
    assert [item["device_id"] for item in items] == [{"S": "gate-3"}]


def shows_its_logs(stack: Up, token: str, program: Program) -> None:
    port = ("--aws-port", stack.aws_port)

    done = program.run("logs", "plan_device", "--json", *port)

    assert done.code == 0
    assert {event["function"] for event in done.events} == {"PlanDevice"}
    assert done.events[0]["message"].startswith("INIT_START ")
    assert "Init Duration: " in next(e["message"] for e in done.events if e["message"].startswith("REPORT "))
    known = program.run("logs", "devices_api", *port).out.count("START RequestId: ")
    following = program.start("logs", "-f", "devices_api", *port)
    assert following.stdout is not None
    for _ in range(known):
        assert next(line for line in following.stdout if "START RequestId: " in line)
    call(stack, token, "GET", "/devices")
    assert next(line for line in following.stdout if "START RequestId: " in line)
    assert program.interrupt(following).code == 130


def a_record(second: int) -> str:
    video = {
        "StreamArn": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/other/1",
        "FragmentNumber": str(10**46 + second),
        "ServerTimestamp": 1700000000.5 + second,
        "ProducerTimestamp": 1700000000.25 + second,
        "FrameOffsetInSeconds": 0.2,
    }
    return json.dumps({"InputInformation": {"KinesisVideo": video}, "FaceSearchResponse": []})


def replays_what_is_well_formed(stack: Up, program: Program, folder: Path) -> None:
    file = folder / "records.jsonl"
    file.write_text("\n".join([a_record(0), "{oops", a_record(1)]) + "\n")

    options = ("--aws-port", stack.aws_port, "--speed", "0", "--json")
    done = program.run("replay", "--device", "gate-3", str(file), *options)

    assert done.err.splitlines()[0] == "sightline: line 2: not JSON"
    assert {"sent": 2, "malformed": 1}.items() <= done.events[-1].items()
    assert done.code == 1
    kinesis = client(stack, "kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="sightline-faces-gate-3",
        ShardId=kinesis.list_shards(StreamName="sightline-faces-gate-3")["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert [record["Data"].decode() for record in records] == [a_record(0), a_record(1)]


def refuses_an_unknown_device(stack: Up, program: Program, folder: Path) -> None:
    file = folder / "records.jsonl"
    done = program.run("replay", "--device", "gate-9", str(file), "--aws-port", stack.aws_port)

    assert done.err == "sightline: no device 'gate-9' here: register it with POST /devices\n"
    assert done.code == 1


def test_a_port_in_use_is_one_line_that_names_the_option(program: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = program.run("up", "--port", port, "--aws-port", "0")

    assert done.err.splitlines() == [
        line for line in done.err.splitlines() if port in line and "--port" in line
    ]
    assert len(done.err.splitlines()) == 1
    assert done.code == 1
    assert program.left_behind() == []


@pytest.mark.parametrize("seconds", [0.3, 1.5, 3.0])
def test_ctrl_c_while_the_stack_starts_leaves_nothing(seconds: float, program: Program) -> None:
    child = program.start("up", "--port", "0", "--aws-port", "0")
    time.sleep(seconds)

    done = program.interrupt(child)

    assert done.code in {130, -signal.SIGINT}
    assert "Traceback" not in done.err
    assert program.left_behind() == []
