"""One data stream: where a record goes, and how shards are split and merged."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import RLock

from sightline_local.cloud.kinesis.shard import LARGEST_HASH, Record, Shard
from sightline_local.state.facts import Facts

SHORTEST_RETENTION_HOURS = 24
STREAMS, RECORDS = "kinesis.stream", "kinesis.record"  # kinds of facts
_TRIM_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that is to be put; `hash_key` decides the shard."""

    partition_key: str
    data: str
    hash_key: int


def hash_of(partition_key: str) -> int:
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())


@dataclass(slots=True)
class Settings:
    """What can be changed of a stream."""

    mode: str = "PROVISIONED"
    retention_hours: int = SHORTEST_RETENTION_HOURS
    tags: dict[str, str] = field(default_factory=dict)
    encryption_key: str | None = None
    consumers: dict[str, float] = field(default_factory=dict)  # name → when it was registered


class DataStream:
    """Safe for threads. Records of one partition key keep the order in which they were put."""

    def __init__(self, name: str, arn: str, shards: list[Shard], created_at: float, facts: Facts) -> None:
        self.name, self.arn = name, arn
        self.created_at = created_at
        self.settings = Settings()
        self._shards = shards
        self._facts = facts
        self._lock = RLock()
        self._trim_at = created_at + _TRIM_EVERY_SECONDS

    # ------------------------------------------------------------------ records

    def put(self, entries: Sequence[Entry], now: float) -> list[tuple[Shard, Record]]:
        """Append the records; when this returns they are kept."""
        with self._lock:
            placed = []
            for entry in entries:
                shard = self._shard_for(entry.hash_key)
                placed.append((shard, shard.append(entry.partition_key, entry.data, now)))
            self._facts.put_many(RECORDS, ((self._key(s, r), _written(r)) for s, r in placed))
            if now >= self._trim_at:
                self._trim(now)
        return placed

    def read(self, shard_id: str, after: int, limit: int) -> list[Record]:
        with self._lock:
            return self.shard(shard_id).after(after, limit)

    def shard(self, shard_id: str) -> Shard:
        """KeyError when there is none."""
        for shard in self._shards:
            if shard.shard_id == shard_id:
                return shard
        raise KeyError(shard_id)

    def consumer_arn(self, name: str) -> str:
        """Of a registered consumer; KeyError when it is none."""
        return f"{self.arn}/consumer/{name}:{int(self.settings.consumers[name])}"

    def shards(self) -> list[Shard]:
        with self._lock:
            return list(self._shards)

    def open_shards(self) -> list[Shard]:
        return [shard for shard in self.shards() if not shard.is_closed]

    def children_of(self, shard_id: str) -> list[Shard]:
        return [shard for shard in self.shards() if shard_id in shard.parents]

    # ------------------------------------------------------------------ shards

    def split(self, shard: Shard, new_hash: int, now: float) -> None:
        """Close the shard; two children take its hash keys below, and from `new_hash` on."""
        with self._lock:
            self._close([shard], [(shard.first_hash, new_hash - 1), (new_hash, shard.last_hash)], now)

    def merge(self, shard: Shard, adjacent: Shard, now: float) -> None:
        """Close both; one child takes the hash keys of both."""
        with self._lock:
            first = min(shard.first_hash, adjacent.first_hash)
            last = max(shard.last_hash, adjacent.last_hash)
            self._close([shard, adjacent], [(first, last)], now)

    def _close(self, shards: list[Shard], ranges: list[tuple[int, int]], now: float) -> None:
        parents = [shard.shard_id for shard in shards]
        for shard in shards:
            shard.closed_at = now
        for first, last in ranges:
            self._shards.append(Shard(len(self._shards), first, last, parents=parents, created_at=now))
        self.keep()

    # ------------------------------------------------------------------ facts

    def keep(self) -> None:
        """Write down everything but the records."""
        with self._lock:
            kept = {
                "arn": self.arn,
                "created_at": self.created_at,
                "settings": {name: getattr(self.settings, name) for name in Settings.__slots__},
                "shards": [shard.to_json() for shard in self._shards],
            }
            self._facts.put(STREAMS, self.name, json.dumps(kept).encode())

    @classmethod
    def kept(cls, name: str, fact: bytes, facts: Facts) -> "DataStream":
        """The stream as it was, with its records."""
        said = json.loads(fact)
        shards = [Shard.from_json(each) for each in said["shards"]]
        stream = cls(name, said["arn"], shards, said["created_at"], facts)
        stream.settings = Settings(**said["settings"])
        by_id = {shard.shard_id: shard for shard in shards}
        for key, value in facts.all(RECORDS, f"{name}/"):
            _, shard_id, sequence = key.split("/")
            by_id[shard_id].take_back(Record(int(sequence), *json.loads(value)))
        return stream

    def forget(self) -> None:
        """The stream is deleted, with every record."""
        with self._facts.transaction():
            self._facts.delete(STREAMS, [self.name])
            self._facts.delete(RECORDS, [key for key, _ in self._facts.all(RECORDS, f"{self.name}/")])

    def _key(self, shard: Shard, record: Record) -> str:
        return f"{self.name}/{shard.shard_id}/{record.sequence}"

    def _shard_for(self, hash_key: int) -> Shard:
        return next(shard for shard in self._shards if not shard.is_closed and shard.takes(hash_key))

    def _trim(self, now: float) -> None:
        self._trim_at = now + _TRIM_EVERY_SECONDS
        oldest = now - self.settings.retention_hours * 3600
        gone = [self._key(shard, record) for shard in self._shards for record in shard.trim(oldest)]
        if gone:
            self.keep()  # the last sequence numbers: none of them is given twice
            self._facts.delete(RECORDS, gone)


def _written(record: Record) -> bytes:
    return json.dumps([record.partition_key, record.data, record.arrived_at]).encode()


def even_shards(count: int, created_at: float) -> list[Shard]:
    """As many shards, each with its part of the hash keys."""
    bounds = [LARGEST_HASH * each // count for each in range(count + 1)]
    starts: Iterable[int] = [0, *(bound + 1 for bound in bounds[1:-1])]
    return [
        Shard(number, first, last, created_at=created_at)
        for number, (first, last) in enumerate(zip(starts, bounds[1:], strict=True))
    ]
