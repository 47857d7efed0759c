"""A whole day: 50 devices, 200 people, an outage, crashes, damage and repetitions, against an oracle."""

import heapq
import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from sightline.deliveries import Delivery
from sightline.devices.model import Vote
from sightline.sightings.service import Batch, FaceRecordConsumer
from tests.builders import SEEN_AT, a_face, a_face_record, a_match, device_facts
from tests.fakes.alerts import Crash
from tests.fakes.consumer import World, rest_of

SEED = 4
DAY = 86_400
GAP = 60
DEVICES = [f"gate-{n}" for n in range(50)]
PEOPLE = [f"person-{n}" for n in range(200)]
OUTAGE = (40_000, 40_600)
# Calls that end a process: the number of the call, and whether it still takes effect. None of them lies
# between a publish and its mark: that one sends the same alert id twice (test_crashes.py).
CRASHES = {5_000: False, 20_001: True, 35_002: True}


@dataclass
class Frame:
    """One analysed frame: who is recognised in it (None: an unknown face), and if it can be read."""

    device: str
    second: int
    person: str | None
    is_damaged: bool = False

    def payload(self) -> bytes:
        if self.is_damaged:
            return b'{"InputInformation": {"KinesisVideo"'
        match = [a_match(self.person)] if self.person else []
        return a_face_record(self.second, match)


def a_day(chance: random.Random) -> list[Frame]:
    frames: dict[tuple[str, int], Frame] = {}
    for person in PEOPLE:
        second = chance.randint(0, 7_000)
        while second < DAY - 200:
            device = chance.choice(DEVICES)
            for _ in range(chance.randint(1, 3)):  # visits at one device, with pauses around the visit gap
                for at in range(second, second + chance.randint(1, 25)):
                    seen = person if chance.random() < 0.8 else None
                    frames.setdefault((device, at), Frame(device, at, seen))
                second = at + chance.choice([20, 45, 58, 60, 61, 65, 70, 74, 80, 120])
            second += chance.randint(500, 12_000)
    for frame in frames.values():
        frame.is_damaged = chance.random() < 0.01
    return sorted(frames.values(), key=lambda frame: (frame.second, frame.device))


def expected_alerts(frames: list[Frame]) -> Counter[tuple[str, str, int]]:
    """The oracle, straight from the definition: (device, person, visit's first second) for each alert."""
    readable = [frame for frame in frames if not frame.is_damaged]
    of_device: dict[str, list[Frame]] = defaultdict(list)
    for frame in readable:
        of_device[frame.device].append(frame)
    alerts: Counter[tuple[str, str, int]] = Counter()
    for device, here in of_device.items():
        for person in {frame.person for frame in here if frame.person}:
            seen = [n for n, frame in enumerate(here) if frame.person == person]
            began, voted = here[seen[0]].second, False
            for place, n in enumerate(seen):
                if place and here[n].second - here[seen[place - 1]].second > GAP:
                    began, voted = here[n].second, False
                in_visit = [m for m in seen if n - 2 <= m <= n and here[m].second >= began]
                if not voted and len(in_visit) >= 2:
                    voted = True
                    alerts[device, person, began] += 1
    return alerts


Due = tuple[int, int, str, Batch | None]  # second, tie-breaker, device, batch


@dataclass
class Lambda:
    """A few warm processes for all face streams; each stream in order, what failed again after a second."""

    world: World
    chance: random.Random
    processes: list[FaceRecordConsumer] = field(default_factory=list)
    waiting: dict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    crashed: int = 0

    def run(self, batches: list[tuple[int, str, Batch]]) -> None:
        self.processes = [self.world.process() for _ in range(3)]
        due = [(second, n, device, batch) for n, (second, device, batch) in enumerate(batches)]
        due += [(second, -1, "", None) for second in range(0, DAY + 900, 60)]
        heapq.heapify(due)
        while due:
            second, n, device, batch = heapq.heappop(due)
            self.world.clock.now = SEEN_AT + timedelta(seconds=second)
            self.world.sink.refusals = 1_000_000 if OUTAGE[0] <= second < OUTAGE[1] else 0
            if batch is None:
                if device:
                    self._deliver(device, second, n, due)
                else:
                    self._sweep()
                continue
            self.waiting[device].append(batch)
            if len(self.waiting[device]) == 1:
                self._deliver(device, second, n, due)

    def _sweep(self) -> None:
        try:
            self.world.sweeper().sweep()
        except Crash:
            self.crashed += 1

    def _deliver(self, device: str, second: int, n: int, due: list[Due]) -> None:
        """The oldest batch of the stream; what is left of it comes again, and until then nothing behind."""
        waiting = self.waiting[device]
        which = DEVICES.index(device) % 3
        calls = self.world.calls
        number = next((each for each in CRASHES if each >= len(calls.names)), None)
        calls.fail_at, calls.after_effect = number, bool(number and CRASHES[number])
        try:
            left = rest_of(waiting[0], self.processes[which].consume(waiting[0]))
        except Crash:
            self.crashed += 1
            self.processes[which] = self.world.process()
            left = waiting[0]
        waiting[:1] = [left] if left else []
        if waiting:
            heapq.heappush(due, (second + bool(left) * self.chance.randint(1, 9), n, device, None))


def batches_of(frames: list[Frame], chance: random.Random) -> list[tuple[int, str, Batch]]:
    """Each device's frames of five seconds; 2 % of the records come twice, at once or a while later."""
    records = [(frame.second, frame) for frame in frames]
    records += [(f.second + chance.choice([0, 0, 3, 30]), f) for f in frames if chance.random() < 0.02]
    grouped: dict[tuple[int, str], list[Frame]] = defaultdict(list)
    for second, frame in records:
        grouped[second // 5 * 5 + 5, frame.device].append(frame)
    numbers = iter(range(10**9))
    return [
        (
            second,
            device,
            Batch(
                f"sightline-faces-{device}", tuple(Delivery(str(next(numbers)), f.payload()) for f in members)
            ),
        )
        for (second, device), members in sorted(grouped.items())
    ]


def test_a_day_of_fifty_devices_loses_no_alert_and_doubles_none() -> None:
    chance = random.Random(SEED)
    frames = a_day(chance)
    world = World(gap=timedelta(seconds=GAP))
    world.roster.devices = {
        device: device_facts(device_id=device, name=device, vote=Vote(2, 3)) for device in DEVICES
    }
    world.roster.faces = {f"face-of-{person}": a_face(person) for person in PEOPLE}

    machine = Lambda(world, chance)
    machine.run(batches_of(frames, chance))

    expected = expected_alerts(frames)
    alerts = [json.loads(each.body) for each in world.sink.published]
    sent = Counter((alert["device"]["id"], alert["person"]["id"]) for alert in alerts)
    wanted = Counter((device, person) for device, person, _ in expected)
    assert machine.crashed == len(CRASHES)
    assert wanted - sent == Counter(), "lost"
    assert sent - wanted == Counter(), "double, or not due"
    assert len(set(world.sink.alert_ids)) == len(alerts) > 1_500
    assert world.visits.pending == {}
    assert len(world.parked.records) >= sum(frame.is_damaged for frame in frames) > 100
    seen = {(f.device, f.person, f.second) for f in frames if f.person and not f.is_damaged}
    assert len({row["sighting_id"] for row in world.stream.rows}) == len(seen)
