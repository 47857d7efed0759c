"""Kinesis Data Streams."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

API = "https://docs.aws.amazon.com/kinesis/latest/APIReference"
GUIDE = "https://docs.aws.amazon.com/streams/latest/dev"
MIDDLE = str(2**127)

Client = Callable[[str], Any]
Refusal = Callable[..., Any]


@pytest.fixture(scope="module")
def kinesis(client: Client) -> Any:
    return client("kinesis")


@pytest.fixture(scope="module")
def new_name() -> Callable[[], str]:
    numbers = count()
    return lambda: f"stream-{next(numbers)}"


@pytest.fixture
def stream(kinesis: Any, new_name: Callable[[], str]) -> str:
    """The name of a new stream with one shard."""
    name = new_name()
    kinesis.create_stream(StreamName=name, ShardCount=1)
    return name


def put(kinesis: Any, stream: str, *texts: str, key: str = "k") -> list[dict[str, Any]]:
    entries = [{"Data": text.encode(), "PartitionKey": key} for text in texts]
    records: list[dict[str, Any]] = kinesis.put_records(StreamName=stream, Records=entries)["Records"]
    return records


def iterator(kinesis: Any, stream: str, kind: str = "TRIM_HORIZON", shard: int = 0, **more: Any) -> str:
    given = {"StreamName": stream, "ShardId": f"shardId-{shard:012}", "ShardIteratorType": kind, **more}
    return str(kinesis.get_shard_iterator(**given)["ShardIterator"])


def texts(answer: dict[str, Any]) -> list[str]:
    return [record["Data"].decode() for record in answer["Records"]]


def read(kinesis: Any, stream: str, kind: str = "TRIM_HORIZON", shard: int = 0, **more: Any) -> list[str]:
    return texts(kinesis.get_records(ShardIterator=iterator(kinesis, stream, kind, shard, **more)))


def shards(kinesis: Any, stream: str, **given: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = kinesis.list_shards(StreamName=stream, **given)["Shards"]
    return listed


# -------------------------------------------------------------------------------------------- records


@pytest.mark.source(f"{API}/API_PutRecords.html")
def test_records_of_one_key_are_read_in_the_order_in_which_they_were_put(kinesis: Any, stream: str) -> None:
    put(kinesis, stream, "a", "b")
    put(kinesis, stream, "c")

    assert read(kinesis, stream) == ["a", "b", "c"]


@pytest.mark.source(f"{GUIDE}/key-concepts.html#sequence-number")
def test_sequence_numbers_of_a_shard_grow(kinesis: Any, stream: str) -> None:
    numbers = [int(record["SequenceNumber"]) for _ in range(3) for record in put(kinesis, stream, "a", "b")]

    assert numbers == sorted(set(numbers))


@pytest.mark.source(f"{API}/API_PutRecords.html")
def test_records_that_are_put_at_the_same_moment_all_arrive(kinesis: Any, stream: str) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = list(
            senders.map(lambda n: put(kinesis, stream, *(f"{n}-{i}" for i in range(50))), range(16))
        )

    numbers = [record["SequenceNumber"] for answer in answers for record in answer]
    assert len(set(numbers)) == len(set(read(kinesis, stream))) == 800


@pytest.mark.source(f"{GUIDE}/key-concepts.html#partition-key")
def test_the_md5_of_the_partition_key_decides_the_shard(kinesis: Any, new_name: Callable[[], str]) -> None:
    name = new_name()
    kinesis.create_stream(StreamName=name, ShardCount=2)

    for key in ("a", "b", "gate-1", "ü"):
        (record,) = put(kinesis, name, "x", key=key)
        upper = int.from_bytes(hashlib.md5(key.encode()).digest()) >= 2**127
        assert record["ShardId"] == f"shardId-{int(upper):012}"


@pytest.mark.source(f"{API}/API_PutRecord.html#Streams-PutRecord-request-ExplicitHashKey")
def test_an_explicit_hash_key_overrides_the_partition_key(kinesis: Any, new_name: Callable[[], str]) -> None:
    name = new_name()
    kinesis.create_stream(StreamName=name, ShardCount=2)

    for hash_key, shard in (("0", 0), (str(2**128 - 1), 1)):
        answer = kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=hash_key)
        assert answer["ShardId"] == f"shardId-{shard:012}"


@pytest.mark.source(f"{API}/API_PutRecord.html")
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Data": b"x" * (2**20 + 1)}, "ValidationException"),
        ({"PartitionKey": "k" * 257}, "ValidationException"),
        ({"ExplicitHashKey": str(2**128)}, "InvalidArgumentException"),
        ({"StreamName": "nobody"}, "ResourceNotFoundException"),
    ],
    ids=["data", "key", "hash", "stream"],
)
def test_a_put_beyond_the_limits_is_refused(
    kinesis: Any, stream: str, refusal: Refusal, given: dict[str, Any], code: str
) -> None:
    error = refusal(kinesis.put_record, **{"StreamName": stream, "Data": b"x", "PartitionKey": "k", **given})

    assert error.response["Error"]["Code"] == code


@pytest.mark.source(f"{API}/API_PutRecords.html")
def test_one_call_puts_500_records_at_the_most(kinesis: Any, stream: str, refusal: Refusal) -> None:
    entries = [{"Data": b"x", "PartitionKey": "k"}] * 501

    assert kinesis.put_records(StreamName=stream, Records=entries[:500])["FailedRecordCount"] == 0
    error = refusal(kinesis.put_records, StreamName=stream, Records=entries)
    assert error.response["Error"]["Code"] == "ValidationException"


# -------------------------------------------------------------------------------------------- iterators


@pytest.mark.source(f"{API}/API_GetShardIterator.html")
def test_an_iterator_begins_where_it_is_told(kinesis: Any, stream: str) -> None:
    first = put(kinesis, stream, "a")[0]["SequenceNumber"]
    put(kinesis, stream, "b")
    latest = iterator(kinesis, stream, "LATEST")
    time.sleep(0.01)
    moment = time.time()
    put(kinesis, stream, "c")

    assert read(kinesis, stream, "TRIM_HORIZON") == ["a", "b", "c"]
    assert read(kinesis, stream, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=first) == ["a", "b", "c"]
    assert read(kinesis, stream, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=first) == ["b", "c"]
    assert read(kinesis, stream, "AT_TIMESTAMP", Timestamp=moment) == ["c"]
    assert texts(kinesis.get_records(ShardIterator=latest)) == ["c"]


@pytest.mark.source(f"{API}/API_GetShardIterator.html")
def test_a_sequence_number_of_another_shard_is_refused(
    kinesis: Any, stream: str, refusal: Refusal, new_name: Callable[[], str]
) -> None:
    given = {"StreamName": stream, "ShardId": "shardId-000000000000", "StartingSequenceNumber": "1"}

    error = refusal(kinesis.get_shard_iterator, ShardIteratorType="AT_SEQUENCE_NUMBER", **given)

    assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(f"{API}/API_GetRecords.html")
def test_get_records_goes_on_from_the_next_iterator_and_says_how_far_behind_it_is(
    kinesis: Any, stream: str
) -> None:
    put(kinesis, stream, "a", "b", "c")
    time.sleep(0.005)

    first = kinesis.get_records(ShardIterator=iterator(kinesis, stream), Limit=2)
    second = kinesis.get_records(ShardIterator=first["NextShardIterator"])

    assert (texts(first), texts(second)) == (["a", "b"], ["c"])
    assert first["MillisBehindLatest"] > 0 == second["MillisBehindLatest"]
    assert texts(kinesis.get_records(ShardIterator=second["NextShardIterator"])) == []


@pytest.mark.source(f"{API}/API_GetRecords.html")
def test_what_is_no_iterator_is_refused(kinesis: Any, refusal: Refusal) -> None:
    error = refusal(kinesis.get_records, ShardIterator="made-up")

    assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(f"{API}/API_GetRecords.html")
def test_a_role_reads_only_the_streams_that_it_may(
    kinesis: Any, stream: str, client_with: Callable[..., Client], refusal: Refusal
) -> None:
    """Also when it holds an iterator of another stream, and says that it is of its own."""
    own = "arn:aws:kinesis:us-east-1:123456789012:stream/own"
    reader = client_with({"Effect": "Allow", "Action": "kinesis:*", "Resource": own})("kinesis")

    error = refusal(reader.get_records, ShardIterator=iterator(kinesis, stream), StreamARN=own)

    assert f"stream/{stream}" in error.response["Error"]["Message"]


# -------------------------------------------------------------------------------------------- shards


@pytest.fixture
def split(kinesis: Any, stream: str) -> str:
    """A stream whose only shard was split after it had got "before"; then it got "low" and "high"."""
    put(kinesis, stream, "before")
    kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=MIDDLE)
    for text, hash_key in (("low", "0"), ("high", MIDDLE)):
        kinesis.put_record(StreamName=stream, Data=text.encode(), PartitionKey="k", ExplicitHashKey=hash_key)
    return stream


@pytest.mark.source(f"{GUIDE}/kinesis-using-sdk-java-after-resharding.html")
def test_records_stay_in_the_shard_that_was_split(kinesis: Any, split: str) -> None:
    assert [read(kinesis, split, shard=number) for number in range(3)] == [["before"], ["low"], ["high"]]


@pytest.mark.source(f"{API}/API_GetRecords.html")
def test_a_closed_shard_ends_and_names_its_children(kinesis: Any, split: str) -> None:
    answer = kinesis.get_records(ShardIterator=iterator(kinesis, split))

    assert texts(answer) == ["before"]
    assert "NextShardIterator" not in answer
    assert [child["ShardId"][-1] for child in answer["ChildShards"]] == ["1", "2"]
    assert [child["ParentShards"] for child in answer["ChildShards"]] == [["shardId-000000000000"]] * 2


@pytest.mark.source(f"{API}/API_Shard.html")
def test_children_share_the_hash_keys_of_their_parent(kinesis: Any, split: str) -> None:
    parent, low, high = shards(kinesis, split)

    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert "EndingSequenceNumber" not in low["SequenceNumberRange"]
    assert low["ParentShardId"] == high["ParentShardId"] == parent["ShardId"]
    assert low["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(2**127 - 1)}
    assert high["HashKeyRange"] == {"StartingHashKey": MIDDLE, "EndingHashKey": str(2**128 - 1)}


@pytest.mark.source(f"{API}/API_MergeShards.html")
def test_two_adjacent_shards_merge_into_one_child(kinesis: Any, split: str) -> None:
    kinesis.merge_shards(
        StreamName=split, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002"
    )

    merged = shards(kinesis, split)[-1]

    assert (merged["ParentShardId"][-1], merged["AdjacentParentShardId"][-1]) == ("1", "2")
    assert (
        kinesis.describe_stream_summary(StreamName=split)["StreamDescriptionSummary"]["OpenShardCount"] == 1
    )


@pytest.mark.source(f"{API}/API_SplitShard.html")
def test_a_closed_shard_is_not_split_again(kinesis: Any, split: str, refusal: Refusal) -> None:
    error = refusal(
        kinesis.split_shard,
        StreamName=split,
        ShardToSplit="shardId-000000000000",
        NewStartingHashKey=MIDDLE,
    )

    assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(f"{API}/API_ShardFilter.html")
def test_list_shards_filters(kinesis: Any, split: str) -> None:
    def found(**shard_filter: Any) -> list[str]:
        return [shard["ShardId"][-1] for shard in shards(kinesis, split, ShardFilter=shard_filter)]

    assert found(Type="AT_LATEST") == ["1", "2"]
    assert found(Type="AT_TRIM_HORIZON") == ["0"]
    assert found(Type="FROM_TRIM_HORIZON") == ["0", "1", "2"]
    assert found(Type="AFTER_SHARD_ID", ShardId="shardId-000000000001") == ["2"]
    assert found(Type="FROM_TIMESTAMP", Timestamp=time.time()) == ["1", "2"]


@pytest.mark.source(f"{API}/API_ListShards.html")
def test_list_shards_comes_in_pages(kinesis: Any, split: str, refusal: Refusal) -> None:
    first = kinesis.list_shards(StreamName=split, MaxResults=2)
    second = kinesis.list_shards(NextToken=first["NextToken"])

    assert [shard["ShardId"][-1] for page in (first, second) for shard in page["Shards"]] == ["0", "1", "2"]
    assert "NextToken" not in second
    error = refusal(kinesis.list_shards, StreamName=split, NextToken=first["NextToken"])
    assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(f"{API}/API_UpdateShardCount.html")
def test_the_shard_count_at_most_doubles_or_halves(kinesis: Any, stream: str, refusal: Refusal) -> None:
    kinesis.update_shard_count(StreamName=stream, TargetShardCount=2, ScalingType="UNIFORM_SCALING")

    assert len(shards(kinesis, stream, ShardFilter={"Type": "AT_LATEST"})) == 2
    error = refusal(
        kinesis.update_shard_count, StreamName=stream, TargetShardCount=5, ScalingType="UNIFORM_SCALING"
    )
    assert error.response["Error"]["Code"] == "LimitExceededException"


# -------------------------------------------------------------------------------------------- streams


@pytest.mark.source(f"{API}/API_CreateStream.html")
def test_a_name_is_taken_once(kinesis: Any, stream: str, refusal: Refusal) -> None:
    error = refusal(kinesis.create_stream, StreamName=stream, ShardCount=1)

    assert error.response["Error"]["Code"] == "ResourceInUseException"


@pytest.mark.source(f"{API}/API_DescribeStreamSummary.html")
def test_a_stream_is_described(kinesis: Any, stream: str) -> None:
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]

    assert summary["StreamARN"] == f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"
    assert (summary["StreamStatus"], summary["RetentionPeriodHours"]) == ("ACTIVE", 24)
    assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}


@pytest.mark.source(f"{API}/API_DeleteStream.html")
def test_a_deleted_stream_is_gone_with_its_records_and_iterators(
    kinesis: Any, stream: str, refusal: Refusal
) -> None:
    put(kinesis, stream, "a")
    held = iterator(kinesis, stream)

    kinesis.delete_stream(StreamName=stream)

    for call, given in (
        (kinesis.describe_stream_summary, {"StreamName": stream}),
        (kinesis.get_records, {"ShardIterator": held}),
    ):
        assert refusal(call, **given).response["Error"]["Code"] == "ResourceNotFoundException"
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    assert read(kinesis, stream) == []


@pytest.mark.source(f"{API}/API_IncreaseStreamRetentionPeriod.html")
def test_retention_is_between_a_day_and_a_year(kinesis: Any, stream: str, refusal: Refusal) -> None:
    kinesis.increase_stream_retention_period(StreamName=stream, RetentionPeriodHours=48)

    for call, hours in (
        (kinesis.increase_stream_retention_period, 24),
        (kinesis.increase_stream_retention_period, 8761),
        (kinesis.decrease_stream_retention_period, 23),
    ):
        error = refusal(call, StreamName=stream, RetentionPeriodHours=hours)
        assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(f"{API}/API_AddTagsToStream.html")
def test_tags_are_added_and_removed(kinesis: Any, stream: str) -> None:
    kinesis.add_tags_to_stream(StreamName=stream, Tags={"site": "north", "floor": "1"})
    kinesis.remove_tags_from_stream(StreamName=stream, TagKeys=["floor"])

    assert kinesis.list_tags_for_stream(StreamName=stream)["Tags"] == [{"Key": "site", "Value": "north"}]


@pytest.mark.source(f"{API}/API_RegisterStreamConsumer.html")
def test_a_consumer_is_registered_once_and_found_by_its_arn(
    kinesis: Any, stream: str, refusal: Refusal
) -> None:
    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]

    error = refusal(kinesis.register_stream_consumer, StreamARN=arn, ConsumerName="reader")
    found = kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]

    assert error.response["Error"]["Code"] == "ResourceInUseException"
    assert (found["ConsumerName"], found["StreamARN"]) == ("reader", arn)


@pytest.mark.source(f"{API}/API_EnableEnhancedMonitoring.html")
def test_what_is_not_emulated_is_refused_by_name(kinesis: Any, stream: str, refusal: Refusal) -> None:
    """Here only: there are no metrics of shards."""
    error = refusal(kinesis.enable_enhanced_monitoring, StreamName=stream, ShardLevelMetrics=["ALL"])

    assert "EnableEnhancedMonitoring" in error.response["Error"]["Message"]
