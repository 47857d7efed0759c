"""Ten minutes of two people in and out of view, with refusals and repetitions, against a plain count."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sightline.sightings.service import Batch
from tests.builders import SEEN_AT, a_face_record, a_match
from tests.fakes.consumer import World, a_batch, rest_of

GAP_SECONDS = 20
Trace = list[tuple[int, list[str]]]  # second, who is in view


def a_trace(chance: random.Random) -> Trace:
    leaves_at = {"ada": -1, "grace": -1}
    trace: Trace = []
    for second in range(600):
        for person, until in leaves_at.items():
            if until < second and chance.random() < 0.05:
                leaves_at[person] = second + chance.randint(0, 30)
        trace.append(
            (second, [p for p, until in leaves_at.items() if until >= second and chance.random() < 0.7])
        )
    return trace


def visits_in(trace: Trace) -> int:
    """The oracle: a visit begins wherever a person was not seen for longer than the gap."""
    last_seen: dict[str, int] = {}
    visits = 0
    for second, people in trace:
        for person in people:
            visits += second - last_seen.get(person, -GAP_SECONDS - 1) > GAP_SECONDS
            last_seen[person] = second
    return visits


def batches_of(trace: Trace, chance: random.Random) -> Iterator[tuple[int, Batch]]:
    left = list(trace)
    while left:
        size = chance.randint(1, 5)
        now, left = left[:size], left[size:]
        payloads = [a_face_record(second, *([a_match(each)] for each in people)) for second, people in now]
        payloads += [chance.choice(payloads)] * (chance.random() < 0.1) + [b"?"] * (chance.random() < 0.05)
        yield now[-1][0], a_batch(*payloads, first=now[0][0] * 10)


@pytest.mark.parametrize("seed", range(10))
def test_every_visit_has_one_alert_whoever_handles_its_batches(seed: int) -> None:
    chance = random.Random(seed)
    trace = a_trace(chance)
    world = World(gap=timedelta(seconds=GAP_SECONDS))
    processes = [world.process(), world.process()]

    for second, batch in batches_of(trace, chance):
        world.clock.now = SEEN_AT + timedelta(seconds=second)
        world.sink.refusals = chance.choice([0, 0, 0, 3])
        left: Batch | None = batch
        while left is not None:
            left = rest_of(left, chance.choice(processes).consume(left))
        if chance.random() < 0.05:
            chance.choice(processes).consume(batch)

    assert len(world.sink.published) == len(set(world.sink.alert_ids)) == visits_in(trace) > 5
    sightings = sum(len(people) for _, people in trace)
    assert len({row["sighting_id"] for row in world.stream.rows}) == sightings
    assert len({row["visit_id"] for row in world.stream.rows}) == visits_in(trace)
