"""Where in a shard a reader begins, and as many records as one answer holds."""

from collections.abc import Sequence
from typing import Any

from sightline_local.cloud.kinesis.lookup import invalid, violation
from sightline_local.cloud.kinesis.shard import Record, Shard


def position(shard: Shard, kind: object, sequence_number: object, timestamp: object) -> int:
    """The sequence number after which to read; InvalidArgumentException for one of another shard."""
    match kind:
        case "TRIM_HORIZON":
            return 0
        case "LATEST":
            return shard.last_sequence
        case "AT_TIMESTAMP" if isinstance(timestamp, int | float):
            return shard.before(float(timestamp))
        case "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER":
            return _sequence(shard, str(sequence_number)) - int(kind == "AT_SEQUENCE_NUMBER")
        case "AT_TIMESTAMP":
            raise invalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP.")
        case other:
            raise violation(f"Value '{other}' at 'shardIteratorType' is none of the allowed ones")


def _sequence(shard: Shard, text: str) -> int:
    if not text.isdigit() or not shard.starting_sequence <= int(text) <= shard.last_sequence + 1:
        raise invalid(
            f"StartingSequenceNumber {text} used in GetShardIterator on shard {shard.shard_id} is invalid "
            "because it did not come from this shard."
        )
    return int(text)


def fitting(records: Sequence[Record], most_bytes: int) -> list[Record]:
    """As many as one answer may hold; one at the least."""
    size = 0
    for index, record in enumerate(records):
        size += size_of(record.data)
        if size > most_bytes and index:
            return list(records[:index])
    return list(records)


def size_of(data: str) -> int:
    """Of what base64 stands for."""
    return len(data) * 3 // 4 - data[-2:].count("=")


def shown(record: Record) -> dict[str, Any]:
    return {
        "SequenceNumber": str(record.sequence),
        "ApproximateArrivalTimestamp": record.arrived_at,
        "Data": record.data,
        "PartitionKey": record.partition_key,
    }


def shown_child(shard: Shard) -> dict[str, Any]:
    return {
        "ShardId": shard.shard_id,
        "ParentShards": list(shard.parents),
        "HashKeyRange": {"StartingHashKey": str(shard.first_hash), "EndingHashKey": str(shard.last_hash)},
    }
