"""What the store of crowds promises: the fake of the unit tests, and DynamoDB."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import boto3
import pytest
from moto import mock_aws

from sightline.crowding.dynamo import DynamoCrowds
from sightline.crowding.model import CrowdLog, WatchedDevice, notification_of
from sightline.crowding.service import Crowds
from sightline.devices.dynamo import DynamoDeviceStore
from sightline.errors import UnavailableError
from tests.builders import a_device
from tests.fakes.aws_clients import FakeAws
from tests.fakes.crowding import FakeCrowds
from tests.fakes.tables import create_table
from tests.unit.crowding.builders import a_count


@dataclass
class Kept:
    crowds: Crowds
    register: Callable[[WatchedDevice], None]


def watched(device_id: str = "gate-3", limit: int | None = 5) -> WatchedDevice:
    full = a_device(device_id=device_id)
    return WatchedDevice(device_id, full.name, full.site, full.location, full.time_zone, limit)


@pytest.fixture(params=["fake", "dynamo"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "fake":
        fake = FakeCrowds()
        yield Kept(fake, lambda device: fake.devices.update({device.device_id: device}))
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "devices", ["device_id"])
        create_table(client, "crowds", ["device_id"])
        devices = DynamoDeviceStore(client, "devices")

        def register(device: WatchedDevice) -> None:
            changes = {"site": device.site, "location": device.location, "people_limit": device.people_limit}
            assert devices.add(a_device(device_id=device.device_id, **changes))

        yield Kept(DynamoCrowds(client, "devices", "crowds"), register)


def a_log() -> CrowdLog:
    """Two crowds, and the alert of the second is pending."""
    log = CrowdLog("gate-3")
    for minute in (1, 2, 7):
        _, log = log.met(a_count(minute))
    return replace(log, pending=notification_of(watched(), a_count(7)))


@pytest.mark.parametrize(
    "device", [watched(), watched(limit=None), replace(watched(), site=None, location=None)]
)
def test_a_device_is_found_with_its_limit(kept: Kept, device: WatchedDevice) -> None:
    kept.register(device)

    devices, logs = kept.crowds.look_up(["gate-3", "gate-4"])

    assert devices == {"gate-3": device}
    assert logs == {}


def test_a_log_is_found_as_it_was_written_as_its_next_revision(kept: Kept) -> None:
    assert kept.crowds.write(a_log())

    _, logs = kept.crowds.look_up(["gate-3"])

    assert logs == {"gate-3": replace(a_log(), revision=1)}


def test_an_alert_that_was_sent_is_not_pending_any_more(kept: Kept) -> None:
    kept.crowds.write(a_log())

    assert kept.crowds.write(replace(a_log(), revision=1, pending=None))

    assert kept.crowds.look_up(["gate-3"])[1]["gate-3"] == replace(a_log(), revision=2, pending=None)


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_who_knows_another_revision_writes_nothing(kept: Kept, revision: int) -> None:
    for known in (0, 1):
        assert kept.crowds.write(replace(a_log(), revision=known))

    assert not kept.crowds.write(replace(a_log(), revision=revision, crowds=a_log().crowds[:1]))

    assert kept.crowds.look_up(["gate-3"])[1]["gate-3"] == replace(a_log(), revision=2)


def test_more_devices_than_one_request_takes_are_found(kept: Kept) -> None:
    ids = [f"gate-{number}" for number in range(120)]
    for device_id in ids:
        kept.register(watched(device_id))

    devices, _ = kept.crowds.look_up(ids)

    assert sorted(devices) == sorted(ids)


def test_nobody_is_asked_for_by_an_empty_look_up(kept: Kept) -> None:
    assert kept.crowds.look_up([]) == ({}, {})


@pytest.mark.parametrize(
    "answer", ["AccessDeniedException", {"Responses": {}, "UnprocessedKeys": {"crowds": {}}}]
)
def test_a_table_that_refuses_means_later(answer: object) -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = answer  # type: ignore[assignment]
    crowds = DynamoCrowds(aws.client("dynamodb"), "devices", "crowds")

    with pytest.raises(UnavailableError):
        crowds.look_up(["gate-3"])


def test_a_write_that_is_denied_is_no_lost_race() -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "PutItem"] = "AccessDeniedException"

    with pytest.raises(UnavailableError):
        DynamoCrowds(aws.client("dynamodb"), "devices", "crowds").write(a_log())


def test_crowds_are_forgotten_thirty_days_after_the_last_one() -> None:
    aws = FakeAws()

    DynamoCrowds(aws.client("dynamodb"), "devices", "crowds").write(a_log())

    item = aws.parameters("dynamodb", "PutItem")["Item"]
    assert int(item["expires"]["N"]) == int(a_count(7).end.timestamp()) + 30 * 24 * 3600
