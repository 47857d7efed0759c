"""PutRecord, PutRecords, GetShardIterator, GetRecords.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html and its neighbours
"""

from typing import Any

from sightline_local.cloud.kinesis.iterators import Iterator, read_iterator
from sightline_local.cloud.kinesis.lookup import find, find_shard, invalid, violation
from sightline_local.cloud.kinesis.positions import fitting, position, shown, shown_child, size_of
from sightline_local.cloud.kinesis.shard import LARGEST_HASH, Record, Shard
from sightline_local.cloud.kinesis.store import DataStreams, StreamGone
from sightline_local.cloud.kinesis.stream import DataStream, Entry, hash_of
from sightline_local.cloud.service import ServiceError

_RECORD_BYTES = 1 << 20
_CALL_BYTES = 10 << 20
_CALL_RECORDS = 500
_KEY_LENGTH = 256
_GET_RECORDS = 10_000

Params = dict[str, Any]


class RecordOperations:
    """`data` stays base64 on its way through: nobody here looks into it."""

    def __init__(self, streams: DataStreams) -> None:
        self._streams = streams

    def put_record(self, params: Params) -> Params:
        stream = find(self._streams, params)
        ((shard, record),) = stream.put([_entry(params)], self._streams.now())
        self._streams.tell(stream.name)
        return _placed(shard, record)

    def put_records(self, params: Params) -> Params:
        stream = find(self._streams, params)
        given = params.get("Records") or []
        if not 1 <= len(given) <= _CALL_RECORDS:
            raise violation(f"Value at 'records' must have length between 1 and {_CALL_RECORDS}")
        entries = [_entry(each) for each in given]
        if sum(size_of(each.data) + len(each.partition_key.encode()) for each in entries) > _CALL_BYTES:
            raise invalid("Records size exceeds 10 MB limit")
        placed = stream.put(entries, self._streams.now())
        self._streams.tell(stream.name)
        return {"FailedRecordCount": 0, "Records": [_placed(shard, record) for shard, record in placed]}

    def get_shard_iterator(self, params: Params) -> Params:
        stream = find(self._streams, params)
        shard = find_shard(self._streams, stream, params.get("ShardId", ""))
        kind, number = params.get("ShardIteratorType"), params.get("StartingSequenceNumber", "")
        after = position(shard, kind, number, params.get("Timestamp"))
        return {"ShardIterator": self._token(stream, shard, after)}

    def get_records(self, params: Params) -> Params:
        now = self._streams.now()
        limit = int(params.get("Limit", _GET_RECORDS))
        if not 1 <= limit <= _GET_RECORDS:
            raise violation(f"Value at 'limit' must be between 1 and {_GET_RECORDS}")
        iterator = read_iterator(params.get("ShardIterator", ""), now)
        stream = self._stream_of(iterator)
        shard = stream.shard(iterator.shard_id)
        was_closed = shard.is_closed  # asked first: what came before the end is in what is read now
        records = fitting(stream.read(shard.shard_id, iterator.after, limit), _CALL_BYTES)
        after = records[-1].sequence if records else iterator.after
        left = stream.read(shard.shard_id, after, 1)
        answer: Params = {
            "Records": [shown(record) for record in records],
            "MillisBehindLatest": int((now - left[0].arrived_at) * 1000) if left else 0,
        }
        if left or not was_closed:
            return {**answer, "NextShardIterator": self._token(stream, shard, after)}
        return {**answer, "ChildShards": [shown_child(each) for each in stream.children_of(shard.shard_id)]}

    def _stream_of(self, iterator: Iterator) -> DataStream:
        try:
            stream = self._streams.named(iterator.stream)
        except StreamGone as error:
            raise ServiceError("ResourceNotFoundException", str(error)) from error
        if stream.created_at != iterator.incarnation:
            raise ServiceError("ResourceNotFoundException", f"Stream {stream.name} is another one now.")
        return stream

    def _token(self, stream: DataStream, shard: Shard, after: int) -> str:
        return Iterator(stream.name, stream.created_at, shard.shard_id, after, self._streams.now()).token()


def _entry(params: Params) -> Entry:
    key, data = params.get("PartitionKey"), params.get("Data")
    if not isinstance(key, str) or not 1 <= len(key) <= _KEY_LENGTH:
        raise violation(f"Value at 'partitionKey' must have length between 1 and {_KEY_LENGTH}")
    if not isinstance(data, str):
        raise violation("Value null at 'data' failed to satisfy constraint: Member must not be null")
    if size_of(data) > _RECORD_BYTES:
        raise violation(f"Value at 'data' must have length less than or equal to {_RECORD_BYTES}")
    explicit = params.get("ExplicitHashKey")
    if explicit is None:
        return Entry(key, data, hash_of(key))
    if not str(explicit).isdigit() or int(explicit) > LARGEST_HASH:
        raise invalid(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]: {explicit}"
        )
    return Entry(key, data, int(explicit))


def _placed(shard: Shard, record: Record) -> Params:
    return {"ShardId": shard.shard_id, "SequenceNumber": str(record.sequence)}
