"""The rule through the consumer: batches, processes and what a device and its lists say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sightline.devices.model import Vote
from sightline.watchlist.model import Watchlist
from tests.builders import SEEN_AT, a_face, a_face_record, a_match
from tests.fakes.alerts import Crash
from tests.fakes.consumer import World, a_batch, deliver

ADA, GRACE = a_match("ada"), a_match("grace")
NOBODY: list[dict[str, Any]] = []


def ada(at_seconds: float) -> bytes:
    return a_face_record(at_seconds, [ADA])


def stranger(at_seconds: float) -> bytes:
    return a_face_record(at_seconds, NOBODY)


def a_voting_world(k: int = 2, n: int = 3) -> World:
    world = World()
    world.set_device(vote=Vote(k, n))
    return world


def test_one_frame_of_three_is_no_alert_but_a_sighting_of_a_visit() -> None:
    world = a_voting_world()

    outcome = world.process().consume(a_batch(ada(0), stranger(1), stranger(2), ada(3)))

    assert (outcome.alerts_sent, outcome.failures) == (0, {})
    assert len({row["visit_id"] for row in world.stream.rows}) == 1
    assert len(world.stream.rows) == 2


def test_the_second_of_three_frames_alerts_and_says_since_when() -> None:
    world = a_voting_world()
    consumer = world.process()

    for n, record in enumerate([ada(0), stranger(1), ada(2), ada(3)]):
        consumer.consume(a_batch(record, first=n))

    assert world.sink.people == ["ada"]
    assert '"seen_at": "2026-11-22T13:02:07.000Z"' in world.sink.published[0].body
    assert '"frames": 2' in world.sink.published[0].body


def test_frames_without_a_face_do_not_vote() -> None:
    world = a_voting_world()

    world.process().consume(a_batch(ada(0), *[a_face_record(n) for n in range(1, 6)], ada(6)))

    assert world.sink.people == ["ada"]


def test_a_vote_goes_on_in_another_process() -> None:
    world = a_voting_world()

    world.process().consume(a_batch(ada(0)))
    world.process().consume(a_batch(ada(1), first=2))

    assert world.sink.people == ["ada"]
    assert len({row["visit_id"] for row in world.stream.rows}) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(10))
def test_a_crash_at_any_call_loses_no_vote(number: int, after: bool) -> None:
    world = a_voting_world()
    world.calls.fail_at, world.calls.after_effect = number, after
    consumer = world.process()

    for n, record in enumerate([ada(0), ada(1)]):
        for _ in range(2):
            try:
                deliver(consumer, a_batch(record, first=n), world.clock)
                break
            except Crash:
                consumer = world.process()
                world.clock.move(seconds=31)

    assert len(set(world.sink.alert_ids)) == 1
    assert len({row["visit_id"] for row in world.stream.rows}) == 1


def test_the_same_frame_twice_has_one_vote() -> None:
    world = a_voting_world()
    batch = a_batch(ada(0), ada(0))

    for _ in range(3):
        world.process().consume(batch)

    assert world.sink.people == []


def test_votes_of_an_earlier_visit_do_not_count() -> None:
    world = a_voting_world()

    world.process().consume(a_batch(ada(0), ada(61)))

    assert world.sink.people == []


def test_three_of_five_waits_for_the_third() -> None:
    world = a_voting_world(3, 5)
    consumer = world.process()

    consumer.consume(a_batch(ada(0), ada(1), stranger(2), stranger(3)))
    two = len(world.sink.published)
    consumer.consume(a_batch(ada(4), first=5))

    assert (two, len(world.sink.published)) == (0, 1)


def test_within_the_cool_down_a_new_visit_has_no_alert_and_after_it_one() -> None:
    world = World()
    world.set_device(cool_down=timedelta(seconds=300))
    consumer = world.process()

    for n, second in enumerate((0, 100, 299, 300)):
        consumer.consume(a_batch(ada(second), first=n))

    assert len(world.sink.published) == 2
    assert "13:07:07" in world.sink.published[1].body
    assert len({row["visit_id"] for row in world.stream.rows}) == 3


def test_an_alert_that_is_not_sent_takes_no_cool_down() -> None:
    world = World()
    world.set_device(cool_down=timedelta(seconds=300))
    world.calls.fail_at, world.calls.after_effect = 1, True  # the claim is written, and then the process ends
    with pytest.raises(Crash):
        world.process().consume(a_batch(ada(0)))

    world.clock.move(seconds=31)
    deliver(world.process(), a_batch(ada(0), ada(100)), world.clock)

    assert len(world.sink.published) == 1  # the first one, late; and it does cool down


def test_a_batch_that_comes_again_long_after_its_cool_down_alerts_nobody() -> None:
    world = World()
    world.set_device(cool_down=timedelta(seconds=300))
    batches = [a_batch(ada(second), first=n) for n, second in enumerate((0, 100, 500))]
    for batch in batches:
        world.process().consume(batch)

    world.process().consume(batches[1])

    assert len(world.sink.published) == 2


def test_a_muted_person_is_kept_without_an_alert_until_the_mute_ends() -> None:
    world = World()
    world.roster.faces["face-of-ada"] = replace(a_face(), muted_until=SEEN_AT + timedelta(seconds=30))

    world.process().consume(a_batch(ada(0), ada(29)))
    muted = len(world.sink.published)
    world.process().consume(a_batch(ada(30), first=3))

    assert (muted, len(world.sink.published)) == (0, 1)
    assert len({row["visit_id"] for row in world.stream.rows}) == 1
    assert len(world.stream.rows) == 3


def test_staff_are_seen_and_never_alerted_for() -> None:
    world = World()
    world.roster.watchlists["default"] = Watchlist("default", "Staff", "low", "staff")

    world.process().consume(a_batch(*[ada(n) for n in range(10)]))

    assert world.sink.people == []
    assert {row["watchlist_id"] for row in world.stream.rows} == {"default"}
    assert len(world.stream.rows) == 10


def test_a_watchlist_that_expires_stops_alerting_within_a_minute() -> None:
    world = World()
    consumer = world.process()
    consumer.consume(a_batch(a_face_record(0, [GRACE])))
    world.roster.watchlists["default"] = Watchlist("default", "Old", expires_at=SEEN_AT)

    world.clock.move(seconds=60)
    consumer.consume(a_batch(ada(60), first=2))

    assert world.sink.people == ["grace"]
    assert len(world.stream.rows) == 2


def test_a_face_outside_the_zones_is_not_looked_at() -> None:
    world = World()
    world.set_device(zones=(((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)),))

    outcome = world.process().consume(a_batch(ada(0)))

    assert (outcome.sightings, world.stream.rows) == (0, [])


def test_unknown_faces_leave_nothing_unless_the_device_says_so() -> None:
    world = World()

    outcome = world.process().consume(a_batch(stranger(0)))

    assert (outcome.sightings, world.stream.rows, world.sink.people) == (0, [], [])


def test_unknown_faces_that_are_kept_are_rows_without_a_person_or_a_visit() -> None:
    world = World()
    world.set_device(keep_unknown_faces=True)

    outcome = world.process().consume(a_batch(stranger(0), a_face_record(1, NOBODY, [ADA], NOBODY)))

    assert outcome.sightings == 4
    assert [row["person_id"] for row in world.stream.rows].count(None) == 3
    assert {row["visit_id"] for row in world.stream.rows if row["person_id"] is None} == {None}
    assert world.sink.people == ["ada"]


def test_a_device_that_alerts_for_unknown_faces_alerts_once_per_visit_of_anybody_unknown() -> None:
    world = World()
    world.set_device(alert_unknown_faces=True)
    consumer = world.process()

    consumer.consume(a_batch(stranger(0), a_face_record(30, NOBODY, NOBODY), stranger(60)))
    consumer.consume(a_batch(stranger(200), first=4))

    assert world.sink.people == ["#unknown", "#unknown"]
    first = world.sink.published[0]
    assert first.subject == "Unknown face seen at Gate 3, 14:02:07"
    assert first.attributes == {"site": "Harbour", "device_id": "gate-3", "severity": "low"}
    assert world.stream.rows == []


def test_a_device_has_a_visit_gap_of_its_own() -> None:
    world = World()
    world.set_device(visit_gap=timedelta(seconds=10))

    world.process().consume(a_batch(ada(0), ada(10), ada(21)))

    assert len(world.sink.published) == 2


def test_a_person_removed_between_the_match_and_the_alert_has_the_alert_that_was_raised() -> None:
    world = World()
    world.sink.refusals = 1
    consumer, batch = world.process(), a_batch(ada(0))
    consumer.consume(batch)
    del world.roster.faces["face-of-ada"]

    world.clock.move(seconds=61)
    outcome = consumer.consume(batch)
    world.sweeper().sweep()

    assert outcome.unknown_faces == 1
    assert world.sink.people == ["ada"]


def test_a_device_is_noted_to_live_every_ten_seconds_and_not_at_once() -> None:
    world = World()
    consumer = world.process()

    for second in range(31):
        consumer.consume(a_batch(a_face_record(second), first=second))
        world.clock.move(seconds=1)

    assert [device for device, _ in world.liveness.notes] == ["gate-3"] * 3


def test_a_killed_process_that_knew_more_of_a_visit_than_the_table_doubles_no_alert() -> None:
    world = World()
    killed = world.process()
    killed.consume(a_batch(ada(0)))
    killed.consume(a_batch(ada(14), first=2))  # known to this process alone, and then it is killed

    world.process().consume(a_batch(ada(74), first=3))

    assert len(world.sink.published) == 1
    assert len({row["visit_id"] for row in world.stream.rows}) == 1


def test_a_killed_process_that_knew_no_more_loses_no_alert() -> None:
    world = World()
    world.process().consume(a_batch(ada(0)))

    world.process().consume(a_batch(ada(61), first=2))

    assert len(world.sink.published) == 2
