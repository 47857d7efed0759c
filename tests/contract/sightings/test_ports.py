"""What the consumer's ports promise: the fakes of the unit tests, and AWS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.devices.model import Vote
from sightline.parking import ParkedRecord, ParkedRecords
from sightline.parking_s3 import S3ParkedRecords
from sightline.sightings.dynamo import DynamoLiveness, DynamoRoster
from sightline.sightings.kinesis import KinesisSightingStream
from sightline.sightings.model import Row
from sightline.sightings.roster import Roster
from sightline.sightings.service import SightingStream
from sightline.watchlist.dynamo import DynamoFaces
from sightline.watchlist.model import Watchlist
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
        yield DynamoRoster(dynamodb, "devices", "faces", "watchlists", pause=no_pause)


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
        yield S3ParkedRecords(s3, "parked", "face_stream")


def test_a_record_can_be_parked_again(parked: ParkedRecords) -> None:
    record = ParkedRecord("sightline-faces-gate-3", "4959", b"\xff\x00", "not a face record", NOW)

    parked.park(record)
    parked.park(record)


def test_a_device_lives_in_its_item_and_a_deleted_one_does_not_come_back() -> None:
    with mock_aws():
        dynamodb = client("dynamodb")
        create_table(dynamodb, "devices", ["device_id"])
        store = DynamoDeviceStore(dynamodb, "devices")
        store.add(a_device())
        liveness = DynamoLiveness(dynamodb, "devices")

        liveness.note("gate-3", NOW)
        liveness.note("gone", NOW)

        found = store.find("gate-3")
        assert found == a_device(last_face_record_at=NOW)
        assert store.find("gone") is None


def test_watchlists_and_what_a_face_says_of_its_person_are_read_with_the_rest() -> None:
    with mock_aws():
        dynamodb = client("dynamodb")
        create_table(dynamodb, "devices", ["device_id"])
        create_watchlist_tables(dynamodb)
        DynamoDeviceStore(dynamodb, "devices").add(
            a_device(
                zones=(((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),),
                vote=Vote(3, 5),
                visit_gap_seconds=30,
                cool_down_seconds=600,
                keep_unknown_faces=True,
            )
        )
        lists = {"vip": {"M": {"name": {"S": "Guests"}, "kind": {"S": "vip"}, "severity": {"S": "low"}}}}
        lists["vip"]["M"] |= {
            "similarity_threshold": {"N": "95.5"},
            "expires_at": {"S": "2026-11-22T13:00:00Z"},
        }
        item = {"catalogue_id": {"S": "watchlists"}, "lists": {"M": lists}, "version": {"N": "3"}}
        dynamodb.put_item(TableName="watchlists", Item=item)

        known = DynamoRoster(dynamodb, "devices", "faces", "watchlists", pause=no_pause).look_up(
            frozenset({"gate-3"}), frozenset()
        )

    assert set(known.watchlists) == {"default", "vip"}
    assert known.watchlists["vip"] == Watchlist(
        "vip", "Guests", "low", "vip", similarity_threshold=95.5, expires_at=NOW
    )
    assert known.devices["gate-3"] == device_facts(
        zones=(((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),),
        vote=Vote(3, 5),
        visit_gap=timedelta(seconds=30),
        cool_down=timedelta(seconds=600),
        keep_unknown_faces=True,
    )
