"""A local stack with devices and people in it, for benchmarks that send face records through it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from sightline_cli.api import ApiClient
from sightline_cli.stack import Stack

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
PATIENCE_SECONDS = 180.0
ITEMS_AT_ONCE = 25  # of BatchWriteItem

Item = dict[str, Any]


def register(api: ApiClient, device_id: str) -> Item:
    """A running device whose first matching frame is an alert."""
    device: Item = api.post("/devices", {"device_id": device_id, "vote": {"k": 1, "n": 1}})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while device["state"] != "running":
        if device["state"] == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"the device is {device['state']}: {device['state_reason']}")
        time.sleep(0.2)
        device = api.device(device_id)
    return device


def enrol(stack: Stack, people: list[str]) -> None:
    """Without photos: the records name the faces."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    rule = {"watchlist_ids": ["default"]}
    people_items = [
        {"person_id": each, "name": each, "created_at": now, "version": 1, "face_ids": [face_id_of(each)]}
        for each in people
    ]
    face_items = [
        {"face_id": face_id_of(each), "person_id": each, "person_name": each, "enrolled_at": now}
        for each in people
    ]
    _write(stack, "PeopleTable", [item | rule for item in people_items])
    _write(stack, "FacesTable", [item | rule | {"person_version": 1} for item in face_items])


def face_id_of(person_id: str) -> str:
    return f"face-of-{person_id}"


def _write(stack: Stack, logical_id: str, items: list[Item]) -> None:
    described = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.target.stack_name, LogicalResourceId=logical_id
    )
    table = described["StackResourceDetail"]["PhysicalResourceId"]
    serialize = TypeSerializer().serialize
    puts = [
        {"PutRequest": {"Item": {name: serialize(value) for name, value in item.items()}}} for item in items
    ]
    for start in range(0, len(puts), ITEMS_AT_ONCE):
        stack.client("dynamodb").batch_write_item(RequestItems={table: puts[start : start + ITEMS_AT_ONCE]})
