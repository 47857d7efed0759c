"""The consumer on fakes: what lasts (tables, topic, stream, bucket) and what dies with a process."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from sightline.alerts.memory import Invocations
from sightline.alerts.service import OneAlertPerVisit
from sightline.alerts.sweep import Sweeper
from sightline.deliveries import Delivery
from sightline.sightings.roster import RememberedRoster
from sightline.sightings.service import Batch, FaceRecordConsumer, Outcome
from tests.builders import a_face, device_facts
from tests.fakes.alerts import Calls, FakePendingAlerts, FakeSink, FakeVisits
from tests.fakes.devices import FakeClock
from tests.fakes.sightings import FakeLiveness, FakeParkedRecords, FakeRoster, FakeStream, FakeWitness

PEOPLE = {face.face_id: face for face in (a_face("ada"), a_face("grace"))}


@dataclass
class World:
    """Ada and Grace are enrolled, gate-3 is registered."""

    calls: Calls = field(default_factory=Calls)
    clock: FakeClock = field(default_factory=FakeClock)
    gap: timedelta = timedelta(seconds=60)
    processes: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.visits = FakeVisits(self.calls)
        self.sink = FakeSink(self.calls)
        self.stream = FakeStream(self.calls)
        self.parked = FakeParkedRecords(self.calls)
        self.liveness = FakeLiveness(self.calls)
        self.roster = FakeRoster({"gate-3": device_facts()}, dict(PEOPLE), self.calls)

    def process(self) -> FaceRecordConsumer:
        """A cold function: it remembers nothing."""
        visitors = OneAlertPerVisit(
            self.visits,
            self.sink,
            self.gap,
            self.clock,
            Invocations(f"process-{next(self.processes)}"),
            FakeWitness(self.stream, self.calls),
        )
        roster = RememberedRoster(self.roster)
        return FaceRecordConsumer(
            roster, visitors, self.stream, self.parked, self.liveness, self.clock, "sightline"
        )

    def sweeper(self) -> Sweeper:
        """A cold function too."""
        name = f"sweeper-{next(self.processes)}"
        return Sweeper(FakePendingAlerts(self.visits), self.visits, self.sink, self.clock, lambda: name)

    def set_device(self, **changes: Any) -> None:
        self.roster.devices["gate-3"] = device_facts(**changes)


def a_batch(*payloads: bytes, first: int = 1, face_stream: str = "sightline-faces-gate-3") -> Batch:
    """Sequence numbers are `first`, `first + 1`, …"""
    return Batch(face_stream, tuple(Delivery(str(first + n), each) for n, each in enumerate(payloads)))


def rest_of(batch: Batch, outcome: Outcome) -> Batch | None:
    """What Lambda delivers next: everything from the first failure on."""
    if not outcome.failures:
        return None
    return Batch(batch.face_stream, batch.deliveries[min(outcome.failures) :])


def deliver(consumer: FaceRecordConsumer, batch: Batch, clock: FakeClock) -> Sequence[Outcome]:
    """As Lambda does: again and again, a second apart, until nothing fails."""
    outcomes: list[Outcome] = []
    left: Batch | None = batch
    while left is not None:
        assert len(outcomes) < 50, outcomes[-1].failures
        outcomes.append(consumer.consume(left))
        left = rest_of(left, outcomes[-1])
        clock.move(seconds=1)
    return outcomes
