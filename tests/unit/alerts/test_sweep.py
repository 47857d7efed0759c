"""What stays pending is sent, oldest first, once, for as long as it takes."""

from contextlib import suppress

import pytest

from sightline.errors import UnavailableError
from tests.builders import a_face, a_face_record, a_match
from tests.fakes.alerts import Crash
from tests.fakes.consumer import World, a_batch


def a_world_with_pending_alerts(*people: str) -> World:
    """Each alert was claimed by a process that ended before it published; a minute has gone by."""
    world = World()
    world.roster.faces |= {f"face-of-{person}": a_face(person) for person in people}
    for n, person in enumerate(people):
        claims = world.calls.names.count("visits.claim")
        world.calls.fail_at, world.calls.after_effect = len(world.calls.names) + 1, True
        with pytest.raises(Crash):
            world.process().consume(a_batch(a_face_record(n, [a_match(person)]), first=n))
        assert world.calls.names.count("visits.claim") == claims + 1
        world.clock.move(seconds=1)
    world.clock.move(seconds=60)
    return world


def test_pending_alerts_are_sent_oldest_first_and_marked() -> None:
    world = a_world_with_pending_alerts("grace", "ada", "alan")

    swept = world.sweeper().sweep()

    assert world.sink.people == ["grace", "ada", "alan"]
    assert (swept.pending, swept.sent, swept.refused) == (3, 3, None)
    assert swept.oldest_age.total_seconds() == 63
    assert world.visits.pending == {}
    assert all(log.pending is None for log in world.visits.items.values())


def test_with_nothing_pending_there_is_nothing_to_do() -> None:
    swept = World().sweeper().sweep()

    assert (swept.pending, swept.sent, swept.oldest_age.total_seconds()) == (0, 0, 0)


def test_the_consumer_that_comes_back_after_the_sweeper_sends_nothing_again() -> None:
    world = a_world_with_pending_alerts("ada")
    world.sweeper().sweep()

    outcome = world.process().consume(a_batch(a_face_record(0, [a_match("ada")])))

    assert outcome.failures == {}
    assert len(world.sink.published) == 1


def test_an_alert_that_is_just_being_sent_is_left_to_its_sender() -> None:
    world = World()
    sweeps = []
    world.sink.before = lambda: sweeps.append(world.sweeper().sweep())

    world.process().consume(a_batch(a_face_record(0, [a_match("ada")])))

    assert [each.sent for each in sweeps] == [0]
    assert len(world.sink.published) == 1


def test_a_topic_that_refuses_is_tried_again_every_run_for_ever() -> None:
    world = a_world_with_pending_alerts("ada", "grace")
    world.sink.refusals = 600

    ages = []
    for _ in range(600):
        swept = world.sweeper().sweep()
        assert swept.refused
        ages.append(swept.oldest_age.total_seconds())
        world.clock.move(seconds=60)
    world.sweeper().sweep()

    assert ages == sorted(ages)
    assert ages[-1] > 35_000
    assert world.sink.people == ["ada", "grace"]


def test_after_a_refusal_a_consumer_need_not_wait_for_the_sweepers_lease() -> None:
    world = a_world_with_pending_alerts("ada")
    world.sink.refusals = 1
    world.sweeper().sweep()

    outcome = world.process().consume(a_batch(a_face_record(0, [a_match("ada")])))

    assert (outcome.failures, world.sink.people) == ({}, ["ada"])


def test_an_alert_whose_visit_was_erased_is_sent_all_the_same() -> None:
    world = a_world_with_pending_alerts("ada")
    world.visits.items.clear()

    swept = world.sweeper().sweep()

    assert (swept.sent, world.sink.people, world.visits.pending) == (1, ["ada"], {})


@pytest.mark.parametrize("failure", [Crash(), UnavailableError("refused")], ids=["crash", "refusal"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(5))
def test_a_failure_at_any_call_of_the_sweeper_loses_nothing(
    number: int, after: bool, failure: BaseException
) -> None:
    world = a_world_with_pending_alerts("ada")
    begun = len(world.calls.names)
    world.calls.fail_at, world.calls.after_effect = begun + number, after
    world.calls.failure = failure
    with suppress(Crash, UnavailableError):
        world.sweeper().sweep()

    world.clock.move(seconds=60)
    world.sweeper().sweep()
    world.clock.move(seconds=60)
    world.sweeper().sweep()

    names = world.calls.names[begun:]
    assert set(world.sink.alert_ids) == {world.sink.alert_ids[0]}
    assert world.visits.pending == {}
    # Only a failure between the publish and its mark may send it again, under the same id.
    unmarked = (names[number], after) in {("sink.publish", True), ("visits.settle", False)}
    assert len(world.sink.published) == 1 + unmarked
