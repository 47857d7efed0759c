"""One shard: its records in order, the range of hash keys that it takes, and its place among the others."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LARGEST_HASH = 2**128 - 1
_PER_SHARD = 10**50
_FIRST = 49 * 10**54  # AWS's numbers have 56 digits and begin with 49, too


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `data` is base64, as it comes in and goes out. `arrived_at` is epoch seconds, to the ms."""

    sequence: int
    partition_key: str
    data: str
    arrived_at: float


class Shard:
    """Not safe for threads: its stream holds a lock."""

    def __init__(
        self, number: int, first_hash: int, last_hash: int, *, parents: Sequence[str] = (), created_at: float
    ) -> None:
        self.number = number
        self.shard_id = f"shardId-{number:012}"
        self.first_hash, self.last_hash = first_hash, last_hash
        self.parents = tuple(parents)  # the parent and, after a merge, the adjacent parent
        self.created_at = created_at
        self.closed_at: float | None = None
        self.starting_sequence = _FIRST + number * _PER_SHARD
        self.last_sequence = self.starting_sequence  # of the newest record there ever was
        self._sequences: list[int] = []
        self._records: list[Record] = []

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def ending_sequence(self) -> int | None:
        return self.last_sequence + 1 if self.is_closed else None

    def takes(self, hash_key: int) -> bool:
        return self.first_hash <= hash_key <= self.last_hash

    def append(self, partition_key: str, data: str, arrived_at: float) -> Record:
        record = Record(self.last_sequence + 1, partition_key, data, arrived_at)
        self.take_back(record)
        return record

    def take_back(self, record: Record) -> None:
        """Put a kept record behind the others."""
        self.last_sequence = record.sequence
        self._sequences.append(record.sequence)
        self._records.append(record)

    def after(self, sequence: int, limit: int) -> list[Record]:
        """Up to `limit` records that follow the sequence number, oldest first."""
        start = bisect_right(self._sequences, sequence)
        return self._records[start : start + limit]

    def before(self, moment: float) -> int:
        """The sequence number of the last record that arrived before the moment, or the shard's start."""
        at = bisect_left(self._records, moment, key=lambda record: record.arrived_at)
        return self._sequences[at - 1] if at else self.starting_sequence

    def oldest_arrival(self) -> float | None:
        return self._records[0].arrived_at if self._records else None

    def trim(self, moment: float) -> list[Record]:
        """Let go of what arrived before the moment; return it."""
        count = bisect_left(self._records, moment, key=lambda record: record.arrived_at)
        gone = self._records[:count]
        del self._records[:count], self._sequences[:count]
        return gone

    def to_json(self) -> dict[str, Any]:
        """All but the records."""
        return {
            "number": self.number,
            "hashes": [str(self.first_hash), str(self.last_hash)],
            "parents": list(self.parents),
            "created_at": self.created_at,
            "closed_at": self.closed_at,
            "last_sequence": str(self.last_sequence),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Shard":
        first, last = (int(each) for each in kept["hashes"])
        shard = cls(kept["number"], first, last, parents=kept["parents"], created_at=kept["created_at"])
        shard.closed_at, shard.last_sequence = kept["closed_at"], int(kept["last_sequence"])
        return shard
