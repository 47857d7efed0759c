"""What every device store promises: the fake of the unit tests, and DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws

from sightline.devices.dynamo import DynamoDeviceStore
from sightline.devices.model import Action, Device, Location, State
from sightline.devices.service import DeviceStore
from sightline.paging import PageRequest
from tests.builders import a_device, a_stopped_device
from tests.fakes.devices import FakeDeviceStore


@pytest.fixture(params=["fake", "dynamo"])
def store(request: pytest.FixtureRequest) -> Iterator[DeviceStore]:
    if request.param == "fake":
        yield FakeDeviceStore()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="devices",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "device_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "device_id", "KeyType": "HASH"}],
        )
        yield DynamoDeviceStore(client, "devices")


FULL = a_device(state=State.FAILED, state_reason="Collection gone.")
BARE = a_device(site=None, location=None, video_stream_arn=None, face_stream_arn=None)


@pytest.mark.parametrize("device", [FULL, BARE], ids=["full", "bare"])
def test_a_device_is_found_as_it_was_added(store: DeviceStore, device: Device) -> None:
    assert store.add(device)

    assert store.find("gate-3") == device


def test_a_device_that_was_never_added_is_not_found(store: DeviceStore) -> None:
    assert store.find("gate-3") is None


def test_an_id_is_given_once(store: DeviceStore) -> None:
    store.add(a_device(name="First"))

    assert not store.add(a_device(name="Second"))

    found = store.find("gate-3")
    assert found is not None
    assert found.name == "First"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "North gate"},
        {"site": None, "location": None},
        {"people_limit": 5},
        {"location": Location(-1.25, 1e-7)},
        {"similarity_threshold": 80.1, "time_zone": "UTC"},
        {"state": State.DELETING, "action": Action.DELETE, "state_reason": None, "generation": 1795348800001},
        {},
    ],
)
def test_a_saved_change_is_found(store: DeviceStore, changes: dict[str, object]) -> None:
    store.add(FULL)
    changed = replace(FULL, **changes)  # type: ignore[arg-type]

    assert store.save(changed, seen=FULL)

    assert store.find("gate-3") == changed


def test_what_was_missing_can_be_added(store: DeviceStore) -> None:
    store.add(BARE)
    changed = replace(BARE, site="Harbour", location=Location(1.0, 2.0))

    assert store.save(changed, seen=BARE)

    assert store.find("gate-3") == changed


def test_a_save_leaves_alone_what_it_does_not_change(store: DeviceStore) -> None:
    seen = a_device(state=State.STARTING)
    store.add(seen)
    store.save(replace(seen, state=State.RUNNING), seen=seen)  # as the lifecycle machine does

    assert store.save(replace(seen, name="North gate"), seen=seen)

    assert store.find("gate-3") == replace(seen, name="North gate", state=State.RUNNING)


def test_a_save_after_another_request_is_refused_and_writes_nothing(store: DeviceStore) -> None:
    seen = a_stopped_device()
    store.add(seen)
    winner = seen.asked_to(Action.START, seen.updated_at + timedelta(seconds=1))
    store.save(winner, seen=seen)

    assert not store.save(seen.asked_to(Action.DELETE, seen.updated_at + timedelta(seconds=2)), seen=seen)

    assert store.find("gate-3") == winner


def test_a_device_that_is_gone_is_not_saved_back(store: DeviceStore) -> None:
    seen = a_device()

    assert not store.save(replace(seen, name="North gate"), seen=seen)

    assert store.find("gate-3") is None


def test_pages_show_every_device_once(store: DeviceStore) -> None:
    ids = {f"gate-{number}" for number in range(5)}
    for device_id in ids:
        store.add(a_device(device_id=device_id))

    shown: list[str] = []
    request: PageRequest | None = PageRequest(limit=2)
    while request is not None:
        page = store.page(request)
        assert len(page.items) <= 2
        shown += [device.device_id for device in page.items]
        request = None if page.last_key is None else PageRequest(limit=2, after=page.last_key)

    assert sorted(shown) == sorted(ids)


def test_no_devices_are_an_empty_page(store: DeviceStore) -> None:
    page = store.page(PageRequest())

    assert (page.items, page.last_key) == ((), None)
