"""Subscriptions to shards on their own: when events come, what they hold, and how a subscription ends."""

import time
from collections.abc import Iterator
from threading import Thread, Timer
from typing import Any

import pytest

from sightline_local.cloud.kinesis.fan_out import FanOut
from sightline_local.cloud.kinesis.records import RecordOperations
from sightline_local.cloud.kinesis.shard_operations import ShardOperations
from sightline_local.cloud.kinesis.store import DataStreams
from sightline_local.cloud.kinesis.stream import DataStream
from sightline_local.cloud.kinesis.stream_operations import StreamOperations
from sightline_local.cloud.service import EventStream, ServiceError

SHARD = "shardId-000000000000"
MIDDLE = 2**127


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def streams() -> DataStreams:
    """Their own clock stands still."""
    return DataStreams("us-east-1", "123456789012", now=lambda: 1_000_000.0)


@pytest.fixture
def stream(streams: DataStreams) -> DataStream:
    made = streams.create("s", 1)
    assert made
    return made


@pytest.fixture
def consumer(streams: DataStreams, stream: DataStream) -> str:
    """Its ARN."""
    registered = StreamOperations(streams).register_stream_consumer(
        {"StreamARN": stream.arn, "ConsumerName": "c"}
    )
    return str(registered["Consumer"]["ConsumerARN"])


def put(streams: DataStreams, *texts: str) -> None:
    entries = [{"PartitionKey": "k", "Data": text} for text in texts]
    RecordOperations(streams).put_records({"StreamName": "s", "Records": entries})


def subscribe(fan_out: FanOut, consumer: str, kind: str = "TRIM_HORIZON", **position: Any) -> EventStream:
    start = {"Type": kind, **position}
    return fan_out.subscribe_to_shard({"ConsumerARN": consumer, "ShardId": SHARD, "StartingPosition": start})


def data(event: tuple[str, dict[str, Any]]) -> list[str]:
    return [record["Data"] for record in event[1]["Records"]]


def rest(events: Iterator[tuple[str, dict[str, Any]]]) -> list[str]:
    return [each for event in events for each in data(event)]


# -------------------------------------------------------------------------------------------- events


def test_the_first_event_comes_at_once_even_when_there_is_nothing_to_say(
    streams: DataStreams, consumer: str
) -> None:
    name, event = next(subscribe(FanOut(streams), consumer).events)

    assert (name, event["Records"], event["MillisBehindLatest"]) == ("SubscribeToShardEvent", [], 0)


def test_a_record_that_is_put_comes_at_once(streams: DataStreams, consumer: str) -> None:
    events = subscribe(FanOut(streams), consumer).events
    next(events)
    putting = Timer(0.05, put, (streams, "a"))
    started = time.monotonic()
    putting.start()

    assert data(next(events)) == ["a"]
    assert time.monotonic() - started < 2


def test_an_event_without_records_comes_when_nothing_happens_for_a_while(
    streams: DataStreams, consumer: str
) -> None:
    events = subscribe(FanOut(streams, sign_every_seconds=0.1), consumer).events
    next(events)
    started = time.monotonic()

    assert data(next(events)) == []
    assert 0.09 <= time.monotonic() - started < 2


def test_a_subscription_ends_when_its_time_is_over(streams: DataStreams, consumer: str) -> None:
    events = subscribe(FanOut(streams, lasts_seconds=0.2), consumer).events
    started = time.monotonic()

    assert rest(events) == []
    assert 0.19 <= time.monotonic() - started < 2


def test_a_subscription_goes_on_from_the_continuation_sequence_number(
    streams: DataStreams, consumer: str, clock: Clock
) -> None:
    fan_out = FanOut(streams, clock=clock)
    empty = next(subscribe(fan_out, consumer).events)[1]["ContinuationSequenceNumber"]
    put(streams, "a", "b")
    clock.seconds += 10
    first = next(subscribe(fan_out, consumer, "AFTER_SEQUENCE_NUMBER", SequenceNumber=empty).events)
    put(streams, "c")
    clock.seconds += 10
    reached = first[1]["ContinuationSequenceNumber"]

    second = next(subscribe(fan_out, consumer, "AFTER_SEQUENCE_NUMBER", SequenceNumber=reached).events)

    assert (data(first), data(second)) == (["a", "b"], ["c"])


def test_an_event_holds_a_megabyte_and_the_next_one_goes_on(streams: DataStreams, consumer: str) -> None:
    large = "x" * 1_000_000
    put(streams, large, large)
    events = subscribe(FanOut(streams), consumer).events

    first, second = next(events), next(events)

    assert (len(data(first)), len(data(second))) == (1, 1)
    assert first[1]["ContinuationSequenceNumber"] < second[1]["ContinuationSequenceNumber"]


# -------------------------------------------------------------------------------------------- shard ends


def test_the_last_event_of_a_closed_shard_names_its_children_and_nothing_to_go_on_from(
    streams: DataStreams, stream: DataStream, consumer: str
) -> None:
    put(streams, "a")
    events = subscribe(FanOut(streams), consumer).events
    next(events)
    split = {"StreamName": "s", "ShardToSplit": SHARD, "NewStartingHashKey": str(MIDDLE)}
    Timer(0.05, ShardOperations(streams).split_shard, (split,)).start()

    (_, last), *more = events

    assert [child["ShardId"][-1] for child in last["ChildShards"]] == ["1", "2"]
    assert "ContinuationSequenceNumber" not in last
    assert more == []


class SplitWhileRead(DataStream):
    """Between two looks at the shard a record is put, and the shard is split."""

    def read(self, shard_id: str, after: int, limit: int) -> list[Any]:
        found = super().read(shard_id, after, limit)
        if shard_id == SHARD and not found and not self.shard(SHARD).is_closed:
            RecordOperations(self.streams).put_record(
                {"StreamName": "s", "PartitionKey": "k", "Data": "last"}
            )
            self.split(self.shard(SHARD), MIDDLE, 0.0)
        return found

    streams: DataStreams


@pytest.fixture
def split_while_read(streams: DataStreams, stream: DataStream) -> None:
    stream.__class__ = SplitWhileRead
    stream.streams = streams  # type: ignore[attr-defined]


@pytest.mark.usefixtures("split_while_read")
def test_a_subscription_misses_no_record_that_is_put_just_before_a_split(
    streams: DataStreams, consumer: str
) -> None:
    events = list(subscribe(FanOut(streams), consumer).events)

    assert rest(iter(events)) == ["last"]
    assert "ChildShards" in events[-1][1]


@pytest.mark.usefixtures("split_while_read")
def test_get_records_misses_no_record_that_is_put_just_before_a_split(streams: DataStreams) -> None:
    records = RecordOperations(streams)
    given = {"StreamName": "s", "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, found = records.get_shard_iterator(given)["ShardIterator"], []

    while iterator:
        answer = records.get_records({"ShardIterator": iterator})
        found += [record["Data"] for record in answer["Records"]]
        iterator = answer.get("NextShardIterator")

    assert found == ["last"]


# -------------------------------------------------------------------------------------------- one at a time


def test_a_second_call_within_five_seconds_is_refused(
    streams: DataStreams, consumer: str, clock: Clock
) -> None:
    fan_out = FanOut(streams, clock=clock)
    first = subscribe(fan_out, consumer)
    first.cancel()  # also when nobody listens to the first any more
    clock.seconds += 4.9

    with pytest.raises(ServiceError, match="ResourceInUseException"):
        subscribe(fan_out, consumer)


def test_a_call_after_five_seconds_takes_over(streams: DataStreams, consumer: str, clock: Clock) -> None:
    fan_out = FanOut(streams, clock=clock)
    first = subscribe(fan_out, consumer)
    next(first.events)
    clock.seconds += 5

    second = subscribe(fan_out, consumer)
    put(streams, "a")

    assert data(next(second.events)) == ["a"]
    with pytest.raises(ServiceError, match="ResourceInUseException"):
        next(first.events)


def test_two_consumers_of_one_shard_both_get_every_record(streams: DataStreams, consumer: str) -> None:
    registered = StreamOperations(streams).register_stream_consumer(
        {"StreamARN": streams.arn_of("s"), "ConsumerName": "d"}
    )
    other, fan_out = registered["Consumer"]["ConsumerARN"], FanOut(streams)
    put(streams, "a")

    both = [subscribe(fan_out, each) for each in (consumer, other)]

    assert [data(next(each.events)) for each in both] == [["a"], ["a"]]


# -------------------------------------------------------------------------------------------- early ends


def test_cancelling_ends_a_subscription_that_waits(streams: DataStreams, consumer: str) -> None:
    subscription = subscribe(FanOut(streams), consumer)
    next(subscription.events)
    waiting = Thread(target=list, args=(subscription.events,))
    waiting.start()

    subscription.cancel()

    waiting.join(1)
    assert not waiting.is_alive()


def test_a_consumer_that_is_deregistered_hears_so(streams: DataStreams, consumer: str) -> None:
    events = subscribe(FanOut(streams), consumer).events
    next(events)

    StreamOperations(streams).deregister_stream_consumer({"ConsumerARN": consumer})

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        next(events)


@pytest.mark.parametrize("again", [False, True], ids=["gone", "another"])
def test_the_subscription_of_a_deleted_stream_hears_so(
    streams: DataStreams, consumer: str, again: bool
) -> None:
    events = subscribe(FanOut(streams), consumer).events
    next(events)

    StreamOperations(streams).delete_stream({"StreamName": "s", "EnforceConsumerDeletion": True})
    if again:  # with a consumer whose ARN is the same, as that has the second of its registration
        streams.create("s", 1)
        StreamOperations(streams).register_stream_consumer(
            {"StreamARN": streams.arn_of("s"), "ConsumerName": "c"}
        )

    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        next(events)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ConsumerARN": "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/x:1"}, "ResourceNotFound"),
        ({"ShardId": "shardId-000000000009"}, "ResourceNotFound"),
        ({"StartingPosition": {"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": "1"}}, "InvalidArgument"),
        ({"StartingPosition": {"Type": "AT_TIMESTAMP"}}, "InvalidArgument"),
        ({"StartingPosition": {}}, "Validation"),
    ],
    ids=["consumer", "shard", "number", "time", "position"],
)
def test_a_subscription_to_what_is_not_there_is_refused_and_can_be_made_at_once(
    streams: DataStreams, consumer: str, changed: dict[str, Any], code: str
) -> None:
    fan_out = FanOut(streams)
    given = {"ConsumerARN": consumer, "ShardId": SHARD, "StartingPosition": {"Type": "LATEST"}}

    with pytest.raises(ServiceError, match=f"{code}Exception"):
        fan_out.subscribe_to_shard({**given, **changed})

    assert subscribe(fan_out, consumer)
