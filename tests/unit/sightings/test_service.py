import json
from datetime import timedelta

import pytest

from sightline.alerts.memory import Invocations, VisitMemory
from sightline.alerts.service import OneAlertPerVisit
from tests.builders import a_face, a_face_record, a_match, a_sighting, device_facts
from tests.fakes.alerts import Crash
from tests.fakes.consumer import World, a_batch, deliver, rest_of

ADA, GRACE = a_match("ada"), a_match("grace")


def ada(at_seconds: float, *, similarity: float = 99.0) -> bytes:
    return a_face_record(at_seconds, [a_match("ada", similarity=similarity)])


def test_the_first_sighting_of_a_person_raises_an_alert() -> None:
    world = World()

    outcome = world.process().consume(a_batch(ada(0)))

    assert (outcome.sightings, outcome.alerts_sent, outcome.failures) == (1, 1, {})
    assert world.sink.people == ["ada"]


def test_a_hundred_frames_of_one_person_in_ten_batches_cost_fourteen_calls() -> None:
    world = World()
    consumer = world.process()

    for batch in range(10):
        frames = [ada(batch + n / 10) for n in range(10)]
        consumer.consume(a_batch(*frames, first=batch * 10))
        world.clock.move(seconds=1)

    assert len(world.calls.names) == 14
    assert world.calls.names.count("stream.put") == 10
    assert len(world.stream.rows) == 100
    assert len(world.sink.published) == 1


def test_frames_without_faces_cost_no_call() -> None:
    world = World()

    outcome = world.process().consume(a_batch(*[a_face_record(n) for n in range(100)]))

    assert outcome.records == 100
    assert world.calls.names == []


def test_the_same_batch_twice_sends_nothing_twice() -> None:
    world = World()
    consumer, batch = world.process(), a_batch(ada(0), ada(1), a_face_record(2, [ADA], [GRACE]))

    consumer.consume(batch)
    consumer.consume(batch)

    assert sorted(world.sink.people) == ["ada", "grace"]
    assert len(world.stream.rows) == 4


def test_the_same_batch_in_a_cold_function_sends_no_alert_twice() -> None:
    world = World()
    batch = a_batch(ada(0), ada(1))

    world.process().consume(batch)
    world.process().consume(batch)

    assert len(world.sink.published) == 1
    assert len({(row["sighting_id"], row["visit_id"]) for row in world.stream.rows}) == 2


@pytest.mark.parametrize("refusals", [1, 2, 600])
def test_an_alert_that_the_topic_refuses_is_sent_by_a_retry(refusals: int) -> None:
    world = World()
    world.sink.refusals = refusals
    consumer, batch = world.process(), a_batch(ada(0), a_face_record(1, [GRACE]))

    left = batch
    for _ in range(refusals + 1):
        outcome = consumer.consume(left)
        left = rest_of(left, outcome) or left
        world.clock.move(seconds=1)

    assert outcome.failures == {}
    assert sorted(world.sink.people) == ["ada", "grace"]
    assert len(world.stream.rows) == 2


def test_a_refused_alert_keeps_nobody_else_waiting() -> None:
    world = World()
    world.sink.refusals = 1

    outcome = world.process().consume(a_batch(ada(0), b"?", a_face_record(1, [GRACE])))

    assert min(outcome.failures) == 0
    assert outcome.parked == 1
    assert world.sink.people == ["grace"]
    assert [row["person_id"] for row in world.stream.rows] == ["grace"]


def test_a_refused_alert_is_sent_by_another_process_at_once() -> None:
    world = World()
    world.sink.refusals = 1
    batch = a_batch(ada(0))
    world.process().consume(batch)

    outcome = world.process().consume(batch)

    assert (outcome.failures, world.sink.people) == ({}, ["ada"])


def test_a_pending_alert_goes_out_before_the_next_visit_begins() -> None:
    world = World()
    world.sink.refusals = 1
    consumer = world.process()

    outcomes = deliver(consumer, a_batch(ada(0), ada(500)), world.clock)

    assert len(outcomes) == 2
    seen = [json.loads(each.body)["seen_at"] for each in world.sink.published]
    assert seen == sorted(seen)
    assert len(set(world.sink.alert_ids)) == 2


def test_a_claim_that_another_process_died_with_is_sent_when_its_lease_is_over() -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = 1, True  # the claim is written, and then the process ends
    batch = a_batch(ada(0))
    with pytest.raises(Crash):
        world.process().consume(batch)
    consumer = world.process()

    at_once = consumer.consume(batch)
    world.clock.move(seconds=31)
    later = consumer.consume(batch)

    assert list(at_once.failures) == [0]
    assert (later.failures, world.sink.people) == ({}, ["ada"])


def test_two_batches_of_one_visit_at_the_same_moment_send_one_alert() -> None:
    world = World()
    first, second = world.process(), world.process()
    outcomes = []
    world.sink.before = lambda: outcomes.append(
        second.consume(a_batch(ada(1), first=2))
    )  # while first publishes

    outcomes.append(first.consume(a_batch(ada(0))))

    assert [each.failures for each in outcomes] == [{}, {}]
    assert len(world.sink.published) == 1
    assert {row["visit_id"] for row in world.stream.rows} == {next(iter(world.stream.rows))["visit_id"]}


def test_the_same_batch_twice_at_the_same_moment_sends_one_alert() -> None:
    world = World()
    first, second, batch = world.process(), world.process(), a_batch(ada(0))
    outcomes = []
    world.sink.before = lambda: outcomes.append(second.consume(batch))

    first.consume(batch)
    again = second.consume(batch)

    assert list(outcomes[0].failures) == [0]  # it has to come again: the first might still fail
    assert again.failures == {}
    assert len(world.sink.published) == 1


def test_a_claim_that_this_process_crashed_with_is_sent_at_once() -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = 1, True
    consumer, batch = world.process(), a_batch(ada(0))
    with pytest.raises(Crash):
        consumer.consume(batch)

    outcome = consumer.consume(batch)

    assert (outcome.failures, world.sink.people) == ({}, ["ada"])


def test_a_new_visit_never_overwrites_an_alert_that_another_process_holds() -> None:
    world = World()
    world.calls.fail_at, world.calls.after_effect = 1, True
    with pytest.raises(Crash):
        world.process().consume(a_batch(ada(0)))
    consumer, next_visit = world.process(), a_batch(ada(500), first=2)

    at_once = consumer.consume(next_visit)
    world.clock.move(seconds=31)
    later = consumer.consume(next_visit)

    assert list(at_once.failures) == [0]
    assert later.failures == {}
    assert len(set(world.sink.alert_ids)) == 2


def test_records_out_of_order_all_come_again_with_the_alert_they_wait_for() -> None:
    world = World()
    world.sink.refusals = 1
    consumer = world.process()

    outcomes = deliver(consumer, a_batch(ada(500), ada(0)), world.clock)

    assert sorted(outcomes[0].failures) == [0, 1]
    assert len(set(world.sink.alert_ids)) == 2
    assert len(world.stream.rows) == 2


def test_what_two_processes_know_of_one_visit_adds_up() -> None:
    world = World()
    warm, other = world.process(), world.process()
    warm.consume(a_batch(ada(0)))
    warm.consume(a_batch(ada(14), first=2))  # known to this process alone
    other.consume(a_batch(ada(-16), first=3))  # written, so that the first one's next write is refused

    warm.consume(a_batch(ada(74), first=4))

    assert len(world.sink.published) == 1


def test_another_process_that_began_the_next_visit_is_not_contradicted() -> None:
    world = World()
    warm, other = world.process(), world.process()
    warm.consume(a_batch(ada(0)))
    other.consume(a_batch(ada(100), first=2))

    outcome = warm.consume(a_batch(ada(101), first=3))

    assert outcome.failures == {}
    assert len(world.sink.published) == 2


def test_what_one_process_knows_of_a_visits_end_reaches_the_others() -> None:
    world = World()
    warm = world.process()
    for second in range(15):
        warm.consume(a_batch(ada(second), first=second))
        world.clock.move(seconds=1)
    world.clock.move(seconds=20)
    warm.consume(a_batch(a_face_record(35), first=35))

    world.process().consume(a_batch(ada(74), first=74))  # 60 s after the last one, 74 s after the claim

    assert len(world.sink.published) == 1


def test_what_cannot_be_read_is_parked_with_its_payload_and_reason() -> None:
    world = World()

    outcome = world.process().consume(a_batch(ada(0), b"\xff\x00no json", ada(1)))

    assert (outcome.parked, outcome.failures) == (1, {})
    parked = world.parked.records["sightline-faces-gate-3/2"]
    assert parked.payload == b"\xff\x00no json"
    assert "JSON is malformed" in parked.reason
    assert len(world.stream.rows) == 2


def test_a_record_that_cannot_even_be_parked_comes_again() -> None:
    world = World()
    world.parked.is_down = True

    outcome = world.process().consume(a_batch(ada(0), b"?", ada(1)))

    assert list(outcome.failures) == [1]
    assert world.sink.people == ["ada"]


def test_when_the_tables_cannot_be_read_only_records_with_matches_come_again() -> None:
    world = World()
    world.roster.is_down = True

    outcome = world.process().consume(a_batch(a_face_record(0), a_face_record(1, []), ada(2), ada(3)))

    assert list(outcome.failures) == [2, 3]


def test_a_row_that_the_stream_does_not_take_comes_again_without_the_others() -> None:
    world = World()
    world.stream.refuse_next = 1
    consumer, batch = world.process(), a_batch(ada(0), ada(1))

    outcomes = deliver(consumer, batch, world.clock)

    assert [list(each.failures) for each in outcomes] == [[0], []]
    assert len(world.stream.rows) == 2
    assert len(world.sink.published) == 1


def test_a_face_that_is_in_no_table_is_counted_and_no_sighting() -> None:
    world = World()

    outcome = world.process().consume(a_batch(a_face_record(0, [a_match(face_id="stranger"), ADA])))

    assert (outcome.unknown_faces, outcome.sightings) == (1, 1)


def test_records_of_a_device_that_is_gone_are_counted_and_dropped() -> None:
    world = World()

    outcome = world.process().consume(a_batch(ada(0), face_stream="sightline-faces-gate-9"))

    assert (outcome.records_of_no_device, outcome.sightings, outcome.parked) == (1, 0, 0)
    assert outcome.failures == {}


def test_who_is_enrolled_is_asked_once_a_minute() -> None:
    world = World()
    consumer = world.process()

    for second in (0, 59, 60):
        consumer.consume(a_batch(ada(second), first=second))
        world.clock.move(seconds=59 if second == 0 else 1)

    assert len(world.roster.asked) == 2


def test_a_face_enrolled_a_moment_ago_is_known_within_seconds() -> None:
    world = World()
    consumer = world.process()
    new = a_face_record(0, [a_match("alan")])
    consumer.consume(a_batch(new))
    world.roster.faces["face-of-alan"] = a_face("alan")

    world.clock.move(seconds=5)
    consumer.consume(a_batch(new, first=2))

    assert world.sink.people == ["alan"]
    assert world.roster.asked[1] == (frozenset(), frozenset({"face-of-alan"}))


def test_a_match_below_the_devices_threshold_is_no_sighting() -> None:
    world = World()
    world.roster.devices["gate-3"] = device_facts(similarity_threshold_percent=95.0)

    outcome = world.process().consume(a_batch(ada(0, similarity=94.99), ada(1, similarity=95.0)))

    assert outcome.sightings == 1


def test_a_topic_that_hangs_leaves_time_for_everything_else() -> None:
    world = World()
    world.sink.refusals = 100
    world.sink.before = lambda: world.clock.move(seconds=27)
    world.roster.faces |= {f"face-of-p{n}": a_face(f"p{n}") for n in range(10)}
    records = [a_face_record(n, [a_match(f"p{n}")]) for n in range(10)]

    outcome = world.process().consume(a_batch(*records))

    assert len(outcome.failures) == 10
    assert world.sink.refusals == 99  # one was tried; the rest have to come again


def test_memory_is_bounded_and_what_it_forgets_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.alerts.memory.MEMORY_SIZE", 1)
    world = World()
    consumer = world.process()
    consumer.consume(a_batch(ada(0), a_face_record(1, [GRACE])))

    outcome = consumer.consume(a_batch(ada(2), a_face_record(3, [GRACE]), first=3))

    assert outcome.failures == {}
    assert len(world.sink.published) == 2


def test_a_person_erased_from_the_visits_table_is_met_anew() -> None:
    world = World()
    memory = VisitMemory()
    alerts = OneAlertPerVisit(
        world.visits, world.sink, timedelta(seconds=60), world.clock, Invocations("p"), memory
    )
    alerts.attend([a_sighting(0)])
    world.visits.items.clear()

    attended = alerts.attend([a_sighting(100)])

    assert attended.refused == {}
    assert len(world.sink.published) == 2
