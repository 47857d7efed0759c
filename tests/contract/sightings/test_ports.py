"""What the consumer's ports promise: the fakes of the unit tests, and AWS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.sightings.dynamo import DynamoRoster
from sightline.sightings.kinesis import KinesisSightingStream
from sightline.sightings.model import ParkedRecord, Row
from sightline.sightings.roster import Roster
from sightline.sightings.s3 import S3ParkedRecords
from sightline.sightings.service import ParkedRecords, SightingStream
from sightline.watchlist.dynamo import DynamoFaces
from tests.builders import a_device, a_face, device_facts
from tests.fakes.sightings import FakeParkedRecords, FakeRoster, FakeStream
from tests.fakes.tables import create_table, create_watchlist_tables

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
PEOPLE = [a_face(f"person-{n:03d}") for n in range(150)]
BARE = device_facts(device_id="bare", site=None, location=None)


def no_pause(_seconds: float) -> None:
    raise AssertionError("moto is never busy")


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


@pytest.fixture(params=["fake", "dynamo"])
def roster(request: pytest.FixtureRequest) -> Iterator[Roster]:
    if request.param == "fake":
        yield FakeRoster({"gate-3": device_facts(), "bare": BARE}, {face.face_id: face for face in PEOPLE})
        return
    with mock_aws():
        dynamodb = client("dynamodb")
        create_table(dynamodb, "devices", ["device_id"])
        create_watchlist_tables(dynamodb)
        store = DynamoDeviceStore(dynamodb, "devices")
        store.add(a_device())
        store.add(a_device(device_id="bare", site=None, location=None))
        for face in PEOPLE:
            DynamoFaces(dynamodb, "faces").add(face)
        yield DynamoRoster(dynamodb, "devices", "faces", pause=no_pause)


def test_devices_and_faces_are_looked_up_together(roster: Roster) -> None:
    known = roster.look_up(frozenset({"gate-3", "bare", "gone"}), frozenset({PEOPLE[0].face_id, "unknown"}))

    assert known.devices == {"gate-3": device_facts(), "bare": BARE}
    assert known.faces == {PEOPLE[0].face_id: PEOPLE[0]}


def test_more_faces_than_one_request_takes_are_all_found(roster: Roster) -> None:
    known = roster.look_up(frozenset({"gate-3"}), frozenset(face.face_id for face in PEOPLE))

    assert known.faces == {face.face_id: face for face in PEOPLE}


def test_faces_can_be_looked_up_without_a_device(roster: Roster) -> None:
    known = roster.look_up(frozenset(), frozenset({PEOPLE[1].face_id}))

    assert (known.devices, known.faces) == ({}, {PEOPLE[1].face_id: PEOPLE[1]})


@pytest.fixture(params=["fake", "kinesis"])
def stream(request: pytest.FixtureRequest) -> Iterator[SightingStream]:
    if request.param == "fake":
        yield FakeStream()
        return
    with mock_aws():
        kinesis = client("kinesis")
        kinesis.create_stream(StreamName="sightings", ShardCount=1)
        yield KinesisSightingStream(kinesis, "sightings", pause=no_pause)


@pytest.mark.parametrize(("count", "size"), [(1, 10), (501, 10), (12, 500_000)])
def test_the_stream_takes_any_number_of_rows(stream: SightingStream, count: int, size: int) -> None:
    content = json.dumps({"text": "x" * size}).encode()

    refused = stream.put([Row(f"si-{n}", "gate-3", content) for n in range(count)])

    assert refused == frozenset()


@pytest.fixture(params=["fake", "s3"])
def parked(request: pytest.FixtureRequest) -> Iterator[ParkedRecords]:
    if request.param == "fake":
        yield FakeParkedRecords()
        return
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket="parked")
        yield S3ParkedRecords(s3, "parked")


def test_a_record_can_be_parked_again(parked: ParkedRecords) -> None:
    record = ParkedRecord("sightline-faces-gate-3", "4959", b"\xff\x00", "not a face record", NOW)

    parked.park(record)
    parked.park(record)
