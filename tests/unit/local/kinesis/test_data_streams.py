"""Data streams on their own: retention, and what is there after a start with the same facts."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sightline_local.cloud.kinesis.iterators import read_iterator
from sightline_local.cloud.kinesis.records import RecordOperations
from sightline_local.cloud.kinesis.shard import LARGEST_HASH
from sightline_local.cloud.kinesis.store import DataStreams, StreamGone
from sightline_local.cloud.kinesis.stream import DataStream, Entry, even_shards
from sightline_local.cloud.service import ServiceError
from sightline_local.state import Facts

HOUR, DAY = 3600.0, 86400.0
SHARD = "shardId-000000000000"


class Time:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    kept = Facts(tmp_path / "facts")
    yield kept
    kept.close()


def streams(facts: Facts | None, time: Time) -> DataStreams:
    return DataStreams("us-east-1", "123456789012", facts, time)


def put(stream: DataStream, time: Time, *texts: str) -> list[int]:
    entries = [Entry("k", text, 0) for text in texts]
    return [record.sequence for _, record in stream.put(entries, time.seconds)]


def read(stream: DataStream, shard_id: str = SHARD) -> list[str]:
    return [record.data for record in stream.read(shard_id, 0, 100)]


def made(store: DataStreams, name: str = "faces", shards: int = 1) -> DataStream:
    stream = store.create(name, shards)
    assert stream is not None
    return stream


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_every_hash_key_has_one_shard(count: int) -> None:
    shards = even_shards(count, 0.0)

    assert (shards[0].first_hash, shards[-1].last_hash) == (0, LARGEST_HASH)
    assert all(a.last_hash + 1 == b.first_hash for a, b in pairwise(shards))


def test_records_older_than_the_retention_go(time: Time) -> None:
    stream = made(streams(None, time))
    put(stream, time, "old")
    time.seconds += DAY + 61
    put(stream, time, "new")

    assert read(stream) == ["new"]


def test_no_sequence_number_is_given_twice_when_all_records_have_gone(facts: Facts, time: Time) -> None:
    stream = made(streams(facts, time))
    (first,) = put(stream, time, "old")
    time.seconds += DAY + 61
    put(stream, time, "newer")
    time.seconds += DAY + 61
    (last,) = put(stream, time, "newest")

    again = made(streams(facts, time))

    assert first < last < put(again, time, "after the restart")[0]


def test_a_stream_that_is_created_again_after_a_restart_has_its_records(facts: Facts, time: Time) -> None:
    numbers = put(made(streams(facts, time)), time, "a", "b")

    store = streams(facts, time)
    stream = made(store)

    assert read(stream) == ["a", "b"]
    assert put(stream, time, "c")[0] > max(numbers)
    assert store.create("faces", 1) is None


def test_a_stream_that_nobody_creates_again_comes_back_by_itself(facts: Facts, time: Time) -> None:
    stream = made(streams(facts, time), shards=2)
    stream.settings.tags["site"] = "north"
    stream.settings.retention_hours = 48
    stream.split(stream.shard(SHARD), 1000, time.seconds)

    store = streams(facts, time)
    assert store.restore() == []
    back = store.named("faces")

    assert (back.settings, back.created_at) == (stream.settings, stream.created_at)
    assert [shard.to_json() for shard in back.shards()] == [shard.to_json() for shard in stream.shards()]


def test_a_deleted_stream_stays_deleted(facts: Facts, time: Time) -> None:
    store = streams(facts, time)
    put(made(store), time, "a")
    put(made(store, "faces-2"), time, "b")
    store.delete("faces")

    again = streams(facts, time)
    again.restore()

    assert again.names() == ["faces-2"]
    assert read(made(again)) == []
    with pytest.raises(StreamGone, match="Stream nobody under account"):
        again.named("nobody")


def test_an_iterator_is_good_for_five_minutes(time: Time) -> None:
    store = streams(None, time)
    made(store)
    asked = {"StreamName": "faces", "ShardId": SHARD, "ShardIteratorType": "LATEST"}
    token = RecordOperations(store).get_shard_iterator(asked)["ShardIterator"]

    assert read_iterator(token, time.seconds + 300).shard_id == SHARD
    with pytest.raises(ServiceError) as refused:
        read_iterator(token, time.seconds + 301)
    assert refused.value.code == "ExpiredIteratorException"


def test_whoever_listens_is_told_of_puts_and_of_other_shards(time: Time) -> None:
    store = streams(None, time)
    heard: list[str] = []
    store.listeners.append(heard.append)
    made(store)
    records = RecordOperations(store)

    records.put_record({"StreamName": "faces", "PartitionKey": "k", "Data": "eA=="})
    records.put_records({"StreamARN": store.arn_of("faces"), "Records": [{"PartitionKey": "k", "Data": ""}]})

    assert heard == ["faces", "faces"]
