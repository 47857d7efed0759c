"""A crowding stream of one device, minute by minute."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sightline.clock import to_iso
from sightline.crowding.model import Headcount, WatchedDevice
from sightline.crowding.service import CrowdWatch
from sightline.deliveries import Delivery
from tests.builders import SEEN_AT
from tests.fakes.alerts import Calls, FakeSink
from tests.fakes.crowding import FakeCrowds
from tests.fakes.devices import FakeClock
from tests.fakes.history import FakeParkedRows

NOON = SEEN_AT.replace(minute=0, second=0)
LIMIT = 5


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def a_count(number: int, people: int = LIMIT + 1, device_id: str = "gate-3") -> Headcount:
    return Headcount(device_id, minute(number), minute(number + 1), people)


def a_row(number: int, people: int = LIMIT + 1, device_id: str = "gate-3", **changes: Any) -> bytes:
    row = {
        "query": "crowding",
        "device_id": device_id,
        "site": "Harbour",
        "window_start": to_iso(minute(number)),
        "window_end": to_iso(minute(number + 1)),
        "people": people,
    }
    return json.dumps(row | changes).encode()


def deliveries(rows: Iterable[bytes]) -> list[Delivery]:
    return [Delivery(str(number), row) for number, row in enumerate(rows)]


def a_watched_device(device_id: str = "gate-3", limit: int | None = LIMIT) -> WatchedDevice:
    return WatchedDevice(device_id, device_id.title(), "Harbour", None, "Europe/Berlin", limit)


class World:
    """What outlives a process: the tables, the topic, the bucket of parked records."""

    def __init__(self, *devices: WatchedDevice) -> None:
        self.calls = Calls()
        self.crowds = FakeCrowds(self.calls)
        self.crowds.devices = {each.device_id: each for each in devices or (a_watched_device(),)}
        self.sink = FakeSink(self.calls)
        self.parked = FakeParkedRows()
        self.clock = FakeClock()

    def watch(self) -> CrowdWatch:
        return CrowdWatch(self.crowds, self.sink, self.parked, self.clock)

    @property
    def alerts(self) -> list[tuple[str, str]]:
        """Device and time of each alert that was published, in order."""
        bodies = [json.loads(each.body) for each in self.sink.published]
        return [(each["device"]["id"], each["seen_at"]) for each in bodies]
