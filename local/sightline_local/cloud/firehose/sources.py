"""Where records come from: the shards of a data stream, or PutRecord."""

import struct
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import Protocol

from sightline_local.cloud.firehose.access import RoleAccess
from sightline_local.cloud.firehose.records import DIRECT, Record
from sightline_local.cloud.kinesis import DataStream, DataStreams, StreamGone
from sightline_local.state import Facts

POSITIONS = "firehose.position"  # key: delivery stream/data stream@its creation/shard
RECORDS = "firehose.record"  # key: delivery stream/number
_BATCH = 1000
_BATCH_BYTES = 8 << 20
_MOST_WAITING_BYTES = 64 << 20
_ARRIVAL = struct.Struct(">d")


class Source(Protocol):
    """Records that nobody took yet, in the order of their lanes."""

    def restore(self) -> None:
        """Go on where the facts say."""
        ...

    def begin(self) -> None:
        """Keep where it begins, so that a start after this one goes on from here."""
        ...

    def take(self) -> list[Record]:
        """Some of them; AccessDenied, TrustDenied when they may not be read."""
        ...

    def keep(self, records: list[Record], positions: Mapping[str, int]) -> None:
        """These are done, and with them everything up to the positions."""
        ...

    def forget(self) -> None:
        """The delivery stream is deleted."""
        ...


class KinesisSource:
    """All shards of a data stream, from LATEST on, read under the role."""

    def __init__(
        self, name: str, stream_arn: str, access: RoleAccess, streams: DataStreams, facts: Facts
    ) -> None:
        """StreamGone when there is no such stream."""
        self.arn = stream_arn
        self._name = name
        self._access = access
        self._streams = streams
        self._facts = facts
        self._is_forgotten = False
        stream = self._stream()
        self._created_at = stream.created_at  # a new stream of an old name counts its records anew
        self._positions = {shard.shard_id: shard.last_sequence for shard in stream.shards()}

    def restore(self) -> None:
        prefix = self._prefix()
        kept = {key.removeprefix(prefix): int(at) for key, at in self._facts.all(POSITIONS, prefix)}
        if kept:
            self._positions = kept  # a shard that is not among them came later: from its beginning

    def begin(self) -> None:
        self._keep(self._positions)

    def take(self) -> list[Record]:
        self._access.authorize("kinesis:GetRecords", self.arn)
        try:
            stream = self._stream()
        except StreamGone:
            return []
        if stream.created_at != self._created_at:
            self._created_at = stream.created_at
            self._positions = {shard.shard_id: 0 for shard in stream.shards()}
            self._keep(self._positions)
        return [record for shard in stream.shards() for record in self._read(stream, shard.shard_id)]

    def keep(self, records: list[Record], positions: Mapping[str, int]) -> None:  # noqa: ARG002
        read = self._positions  # what is beyond them was done of a stream that is gone
        self._keep({shard: at for shard, at in positions.items() if at <= read.get(shard, 0)})

    def forget(self) -> None:
        self._is_forgotten = True
        self._facts.delete(POSITIONS, [key for key, _ in self._facts.all(POSITIONS, f"{self._name}/")])

    def _stream(self) -> DataStream:
        return self._streams.named(self.arn.rpartition("/")[2])

    def _read(self, stream: DataStream, shard: str) -> list[Record]:
        records = []
        size = 0
        for found in stream.read(shard, self._positions.get(shard, 0), _BATCH):
            data = b64decode(found.data)
            records.append(Record(shard, found.sequence, data, found.arrived_at, found.partition_key))
            self._positions[shard] = found.sequence
            size += len(data)
            if size >= _BATCH_BYTES:
                break
        return records

    def _keep(self, positions: Mapping[str, int]) -> None:
        if self._is_forgotten:
            return
        prefix = self._prefix()
        entries = [(f"{prefix}{shard}", str(at).encode()) for shard, at in positions.items()]
        self._facts.put_many(POSITIONS, entries)

    def _prefix(self) -> str:
        return f"{self._name}/{self.arn.rpartition('/')[2]}@{self._created_at}/"


class DirectSource:
    """Records that were put: kept until they are delivered, given out once."""

    def __init__(self, name: str, facts: Facts, now: Callable[[], datetime]) -> None:
        self._name = name
        self._facts = facts
        self._now = now
        self._lock = Lock()
        self._waiting: deque[Record] = deque()
        self._waiting_bytes = 0
        self._last = 0
        for key, value in facts.all(RECORDS, f"{name}/"):
            arrived_at = _ARRIVAL.unpack_from(value)[0]
            number = int(key.rpartition("/")[2])
            self._append([Record(DIRECT, number, value[_ARRIVAL.size :], arrived_at)])

    def restore(self) -> None:
        """Done at once, so that no new record gets the number of a kept one."""

    def begin(self) -> None: ...

    def put(self, data: list[bytes]) -> list[Record]:
        """Take them all in for good, or none: an empty list when too many wait."""
        with self._lock:
            if self._waiting_bytes > _MOST_WAITING_BYTES:
                return []
            arrived_at = self._now().timestamp()
            records = [Record(DIRECT, self._last + n, each, arrived_at) for n, each in enumerate(data, 1)]
            stamp = _ARRIVAL.pack(arrived_at)
            self._facts.put_many(RECORDS, [(self._key(record), stamp + record.data) for record in records])
            self._append(records)
        return records

    def take(self) -> list[Record]:
        taken: list[Record] = []
        size = 0
        with self._lock:
            while self._waiting and len(taken) < _BATCH and size < _BATCH_BYTES:
                taken.append(self._waiting.popleft())
                size += len(taken[-1].data)
            self._waiting_bytes -= size
        return taken

    def keep(self, records: list[Record], positions: Mapping[str, int]) -> None:  # noqa: ARG002
        self._facts.delete(RECORDS, [self._key(record) for record in records])

    def forget(self) -> None:
        self._facts.delete(RECORDS, [key for key, _ in self._facts.all(RECORDS, f"{self._name}/")])

    def _append(self, records: list[Record]) -> None:
        self._waiting.extend(records)
        self._waiting_bytes += sum(len(record.data) for record in records)
        self._last = records[-1].sequence

    def _key(self, record: Record) -> str:
        return f"{self._name}/{record.sequence:020d}"
