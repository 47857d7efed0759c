"""A crash before or after every single call: nothing is lost, and no visit alerts under two ids."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from sightline.errors import UnavailableError
from sightline.sightings.service import Batch
from tests.builders import a_face_record, a_match
from tests.fakes.alerts import Crash
from tests.fakes.consumer import World, a_batch, deliver

ADA, GRACE = a_match("ada"), a_match("grace")
BATCHES = [
    a_batch(a_face_record(0, [ADA]), b"no json", a_face_record(1, [ADA], [GRACE])),
    a_batch(a_face_record(2, []), a_face_record(20, [ADA]), a_face_record(100, [ADA]), first=4),
    a_batch(a_face_record(103, [ADA]), a_face_record(170, [GRACE]), first=7),
]
# Ada comes twice (0-20 s and 100-103 s), and so does Grace (1 s and 170 s).
VISITS = {"ada": 2, "grace": 2}
SIGHTINGS = 7


def undisturbed() -> World:
    world = World()
    consumer = world.process()
    for batch in BATCHES:
        deliver(consumer, batch, world.clock)
    return world


def all_calls() -> Iterator[object]:
    for number, name in enumerate(undisturbed().calls.names):
        for after in (False, True):
            yield pytest.param(number, after, id=f"{number}-{'after' if after else 'before'}-{name}")


def run(world: World, next_process: Callable[[], bool]) -> None:
    """Deliver all batches; after a crash the batch comes again, to a new process or to the same one."""
    consumer = world.process()
    for batch in BATCHES:
        left: Batch | None = batch
        while left is not None:
            try:
                deliver(consumer, left, world.clock)
            except Crash:
                consumer = world.process() if next_process() else consumer
                world.clock.move(seconds=1)
            else:
                left = None


def test_undisturbed_each_visit_alerts_once() -> None:
    world = undisturbed()

    assert Counter(world.sink.people) == VISITS
    assert len(set(world.sink.alert_ids)) == 4


@pytest.mark.parametrize("same_process", [False, True], ids=["new process", "same process"])
@pytest.mark.parametrize(("number", "after"), list(all_calls()))
def test_a_crash_at_any_call_loses_nothing(number: int, after: bool, same_process: bool) -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = number, after

    run(world, lambda: not same_process)

    wanted = undisturbed()
    assert set(world.sink.alert_ids) == set(wanted.sink.alert_ids)
    assert [each.body for each in world.sink.published if each not in wanted.sink.published] == []
    assert {row["sighting_id"]: row["visit_id"] for row in world.stream.rows} == {
        row["sighting_id"]: row["visit_id"] for row in wanted.stream.rows
    }
    assert set(world.parked.records) == {"sightline-faces-gate-3/2"}
    # Only a crash between the publish and its mark may send an alert again, under the same id.
    was_between = after and world.calls.names[number] == "sink.publish"
    is_marked_late = not after and not same_process and world.calls.names[number - 1] == "sink.publish"
    assert len(world.sink.published) == 4 + (was_between or is_marked_late)


@pytest.mark.parametrize(("number", "after"), list(all_calls()))
def test_a_refusal_at_any_call_loses_nothing_and_repeats_nothing(number: int, after: bool) -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = number, after
    world.calls.failure = UnavailableError("refused")

    run(world, lambda: True)

    assert Counter({person: len(ids) for person, ids in ids_by_person(world).items()}) == VISITS
    assert len({row["sighting_id"] for row in world.stream.rows}) == SIGHTINGS
    published_unknowingly = after and undisturbed().calls.names[number] == "sink.publish"
    assert len(world.sink.published) == 4 + published_unknowingly


def ids_by_person(world: World) -> dict[str, set[str]]:
    ids: dict[str, set[str]] = {}
    for person, alert_id in zip(world.sink.people, world.sink.alert_ids, strict=True):
        ids.setdefault(person, set()).add(alert_id)
    return ids
