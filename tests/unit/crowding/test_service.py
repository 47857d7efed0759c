"""One alert per crowd: none lost, none sent twice."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.clock import to_iso
from sightline.crowding.service import Outcome
from tests.fakes.alerts import Crash
from tests.unit.crowding.builders import LIMIT, World, a_row, a_watched_device, deliveries, minute


def attend(world: World, *rows: bytes) -> Outcome:
    return world.watch().attend("crowding", deliveries(rows))


def test_a_crowd_raises_one_alert() -> None:
    world = World()

    outcome = attend(world, a_row(1), a_row(2), a_row(3))

    assert world.alerts == [("gate-3", to_iso(minute(1)))]
    assert (outcome.counts, outcome.alerts, outcome.comes_again) == (3, 1, None)


def test_people_up_to_the_limit_raise_none() -> None:
    world = World()

    attend(world, a_row(1, LIMIT), a_row(2, LIMIT - 1))

    assert world.alerts == []
    assert world.crowds.logs == {}


@pytest.mark.parametrize("device_id", ["without-a-limit", "unknown"])
def test_a_device_without_a_limit_and_one_that_is_gone_raise_none(device_id: str) -> None:
    world = World(a_watched_device("without-a-limit", limit=None))

    outcome = attend(world, a_row(1, 10_000, device_id))

    assert (world.alerts, outcome.comes_again) == ([], None)


def test_a_limit_counts_from_the_next_batch_on() -> None:
    world = World(a_watched_device(limit=None))
    attend(world, a_row(1, 7))
    world.crowds.devices["gate-3"] = a_watched_device(limit=6)

    attend(world, a_row(2, 7))

    assert world.alerts == [("gate-3", to_iso(minute(2)))]


def test_a_crowd_that_goes_on_in_the_next_batch_is_the_same_crowd() -> None:
    world = World()

    attend(world, a_row(1), a_row(2))
    attend(world, a_row(3))
    attend(world, a_row(4))

    assert len(world.alerts) == 1


def test_a_crowd_after_a_break_raises_another_alert() -> None:
    world = World()

    attend(world, a_row(1), a_row(2, LIMIT), a_row(3))

    assert world.alerts == [("gate-3", to_iso(minute(1))), ("gate-3", to_iso(minute(3)))]


def test_devices_have_crowds_of_their_own() -> None:
    world = World(a_watched_device("gate-3"), a_watched_device("gate-4"))

    attend(world, a_row(1), a_row(1, device_id="gate-4"), a_row(2), a_row(2, device_id="gate-4"))

    assert {device for device, _ in world.alerts} == {"gate-3", "gate-4"}
    assert len(world.alerts) == 2


def test_a_record_that_cannot_be_read_is_parked_and_stops_nobody() -> None:
    world = World()

    outcome = attend(world, b"this is no count", a_row(1))

    assert len(world.alerts) == 1
    assert [each.payload for each in world.parked.rows] == [b"this is no count"]
    assert (outcome.parked, outcome.comes_again) == (1, None)


def test_what_cannot_be_parked_comes_again_and_the_rest_is_done() -> None:
    world = World()
    world.parked.is_down = True

    outcome = attend(world, a_row(1), b"this is no count", a_row(9))

    assert outcome.comes_again == "1"
    assert len(world.alerts) == 2


def test_tables_that_are_down_lose_nothing() -> None:
    world = World()
    world.crowds.is_down = True

    outcome = attend(world, a_row(1))
    world.crowds.is_down = False
    attend(world, a_row(1))

    assert outcome.comes_again == "0"
    assert outcome.reason is not None
    assert len(world.alerts) == 1


def test_a_topic_that_is_down_delays_the_alert_and_keeps_its_content() -> None:
    world = World()
    world.sink.refusals = 3

    answers = [attend(world, a_row(1, 7), a_row(2, 9)).comes_again for _ in range(3)]
    world.crowds.devices["gate-3"] = a_watched_device(limit=100)  # what was decided stays decided
    attend(world, a_row(1, 7), a_row(2, 9))

    assert answers == ["0", "0", "0"]
    (alert,) = world.sink.published
    assert json.loads(alert.body)["crowd"]["people"] == 7


def test_a_device_whose_alert_is_refused_stops_no_other_device() -> None:
    world = World(a_watched_device("gate-3"), a_watched_device("gate-4"))
    world.sink.refusals = 1

    outcome = attend(world, a_row(1), a_row(1, device_id="gate-4"))

    assert world.alerts == [("gate-4", to_iso(minute(1)))]
    assert outcome.comes_again == "0"


def test_no_alert_is_begun_when_the_invocation_has_no_time_left() -> None:
    world = World(a_watched_device("gate-3"), a_watched_device("gate-4"))
    world.sink.before = lambda: world.clock.move(seconds=27)

    outcome = attend(world, a_row(1), a_row(1, device_id="gate-4"))
    world.sink.before = lambda: None
    attend(world, a_row(1), a_row(1, device_id="gate-4"))

    assert outcome.comes_again == "1"
    assert len(world.alerts) == 2


def test_who_writes_second_begins_again_with_what_the_first_wrote() -> None:
    world = World()

    def another_process_was_quicker() -> None:
        world.sink.before = lambda: None
        log = world.crowds.logs["gate-3"]
        world.crowds.logs["gate-3"] = replace(log, pending=None, revision=log.revision + 1)

    world.sink.before = another_process_was_quicker
    outcome = attend(world, a_row(1))
    again = attend(world, a_row(1))

    assert (outcome.comes_again, again.comes_again) == ("0", None)
    assert len(world.alerts) == 1


def test_a_batch_without_crowds_costs_one_call_and_a_new_crowd_four_more() -> None:
    world = World()
    attend(world, a_row(1, LIMIT))
    quiet = len(world.calls.names)

    attend(world, a_row(2), a_row(3))

    assert quiet == 1
    expected = ["crowds.look_up", "crowds.write", "sink.publish", "crowds.write", "crowds.write"]
    assert world.calls.names[quiet:] == expected


def expected_alerts(crowded: set[int]) -> list[tuple[str, str]]:
    return [("gate-3", to_iso(minute(each))) for each in sorted(crowded) if each - 1 not in crowded]


@given(
    minutes=st.sets(st.integers(0, 30), min_size=1),
    crash_at=st.integers(0, 40),
    after_effect=st.booleans(),
    size=st.integers(1, 5),
)
def test_wherever_the_process_ends_each_crowd_has_its_alert_and_at_most_one_comes_twice(
    minutes: set[int], crash_at: int, after_effect: bool, size: int
) -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = crash_at, after_effect
    rows = [a_row(each) for each in sorted(minutes)]
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        with suppress(Crash):
            attend(world, *batch)
            continue
        attend(world, *batch)  # as Lambda does

    assert sorted(set(world.alerts)) == expected_alerts(minutes)
    assert len(world.sink.alert_ids) <= len(set(world.sink.alert_ids)) + 1


@given(minutes=st.sets(st.integers(0, 30), min_size=1), restarts=st.lists(st.integers(0, 30), max_size=4))
def test_a_job_that_goes_on_from_an_older_state_raises_no_alert_again(
    minutes: set[int], restarts: list[int]
) -> None:
    world = World()
    rows = [a_row(each) for each in sorted(minutes)]
    attend(world, *rows)

    for restart in restarts:
        attend(world, *rows[restart % len(rows) :])

    assert world.alerts == expected_alerts(minutes)
