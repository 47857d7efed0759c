import json

import pytest

from sightline.errors import UnavailableError
from tests.unit.presence_worker.records import Batch, Daemon, Left, Shard


def test_records_are_kept_in_their_order_and_saved_up_to_the_last_one():
    shard = Shard()

    shard.receive("1", "2", "3")

    assert shard.kept == ["1", "2", "3"]
    assert shard.daemon.saved == [("3", 0)]


def test_a_position_is_saved_every_few_seconds_and_not_for_each_batch():
    shard = Shard()

    shard.receive("1")
    shard.now += 4.9
    shard.receive("2")
    assert shard.daemon.saved == [("1", 0)]
    shard.now += 0.1
    shard.receive("3")

    assert shard.daemon.saved == [("1", 0), ("3", 0)]


def test_the_last_records_before_a_pause_are_saved_with_an_empty_batch():
    shard = Shard()
    shard.receive("1")
    shard.receive("2")

    shard.now += 5
    shard.receive()
    shard.now += 5
    shard.receive()

    assert shard.daemon.saved == [("1", 0), ("2", 0)]


def test_a_batch_comes_again_until_it_can_be_kept_and_is_not_saved_before():
    shard = Shard(fails=[UnavailableError("busy"), UnavailableError("busy")])

    shard.receive("1")

    assert shard.kept == ["1"]
    assert shard.daemon.saved == [("1", 0)]
    assert shard.pauses == [0.2, 0.5]


@pytest.mark.parametrize(
    "failure", [ValueError("of a programmer"), KeyboardInterrupt(), SystemExit(0), MemoryError()]
)
def test_what_cannot_be_handled_ends_the_process_and_saves_nothing(failure):
    shard = Shard(fails=[failure])

    with pytest.raises(Left):
        shard.receive("1")

    assert shard.daemon.saved == []
    assert shard.said[-1] == {"event": "cannot go on", "shard": "", "error": type(failure).__name__}


def test_a_batch_that_cannot_be_kept_for_minutes_ends_the_process():
    shard = Shard(fails=[UnavailableError("busy")] * 100)

    with pytest.raises(Left):
        shard.receive("1")

    assert sum(shard.pauses) == pytest.approx(218.7)
    assert shard.daemon.saved == []


def test_after_a_failed_batch_the_shard_reads_on_where_the_last_kept_one_ended():
    shard = Shard(fails=[None, ValueError()])
    shard.receive("1")
    shard.now += 5

    with pytest.raises(Left):
        shard.receive("2")

    assert shard.daemon.saved == [("1", 0)]


def test_a_busy_lease_table_is_tried_again_with_the_next_batch():
    shard = Shard(daemon=Daemon(answers=["ThrottlingException"] * 6))

    shard.receive("1")
    assert shard.daemon.saved == []
    shard.now += 5
    shard.receive("2")

    assert shard.daemon.saved == [("2", 0)]
    assert {"event": "not saved", "shard": ""} in shard.said


def test_who_has_lost_the_lease_does_not_end_for_it():
    shard = Shard(daemon=Daemon(answers=["ShutdownException"]))

    shard.receive("1")

    assert shard.daemon.asked == 1
    assert shard.kept == ["1"]


@pytest.mark.parametrize("answer", ["InvalidStateException", "IllegalArgumentException", None])
def test_an_answer_that_nobody_foresaw_ends_the_process(answer):
    shard = Shard(daemon=Daemon(answers=[answer or "?"]))

    with pytest.raises(Left):
        shard.receive("1")


def test_the_end_of_a_shard_is_saved_so_that_its_children_are_read():
    shard = Shard()
    shard.receive("1")

    shard.processor.shard_ended(Batch([], shard.daemon))

    assert shard.daemon.saved == [("1", 0), ()]


def test_a_shard_whose_end_cannot_be_saved_ends_the_process():
    shard = Shard(daemon=Daemon(answers=["KinesisClientLibDependencyException"] * 6))

    with pytest.raises(Left):
        shard.processor.shard_ended(Batch([], shard.daemon))


def test_whoever_comes_next_begins_where_this_one_was_asked_to_stop():
    shard = Shard()
    shard.receive("1")
    shard.receive("2")

    shard.processor.shutdown_requested(Batch([], shard.daemon))

    assert shard.daemon.saved == [("1", 0), ("2", 0)]


def test_a_processor_that_read_nothing_has_nothing_to_save():
    shard = Shard()

    shard.processor.shutdown_requested(Batch([], shard.daemon))

    assert shard.daemon.asked == 0


def test_a_lost_lease_saves_nothing():
    shard = Shard()
    shard.receive("1")
    shard.receive("2")

    shard.processor.lease_lost(None)

    assert shard.daemon.saved == [("1", 0)]


def test_what_is_said_names_no_record():
    shard = Shard(fails=[ValueError("Ada Lovelace")])

    with pytest.raises(Left):
        shard.receive("Ada Lovelace")

    assert "Ada" not in json.dumps(shard.said)
