"""Buffers of records: one per partition, and one per kind of failure, full or old enough to be delivered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sightline_local.cloud.firehose.records import Record

Partition = tuple[str, ...]  # the values of the prefix's partition keys


@dataclass(frozen=True, slots=True)
class Place:
    """Where records go together: a partition, or the failures of one type."""

    partition: Partition = ()
    error_type: str = ""


@dataclass(slots=True)
class Buffer:
    """What waits for one object: records, or documents about those that failed in place of their data."""

    place: Place
    since: datetime
    records: list[Record] = field(default_factory=list)
    size: int = 0

    def oldest(self) -> datetime:
        return min(record.arrival() for record in self.records)


class Buffers:
    """By place. A buffer is due when it has the size, or when its first record has waited long enough."""

    def __init__(self, size_bytes: int, seconds: float, most_bytes: int) -> None:
        self.waiting_bytes = 0
        self._size = size_bytes
        self._wait = timedelta(seconds=seconds)
        self._most = most_bytes
        self._buffers: dict[Place, Buffer] = {}

    def __contains__(self, place: Place) -> bool:
        return place in self._buffers

    def partitions(self) -> int:
        """How many buffers hold data, not failures."""
        return sum(not place.error_type for place in self._buffers)

    def add(self, place: Place, record: Record, now: datetime) -> None:
        buffer = self._buffers.get(place)
        if buffer is None:
            buffer = self._buffers[place] = Buffer(place, now)
        buffer.records.append(record)
        buffer.size += len(record.data)
        self.waiting_bytes += len(record.data)

    def due(self, now: datetime) -> Iterator[Buffer]:
        """Take out what is to be delivered now; the largest too while there is too much altogether."""
        for place, buffer in list(self._buffers.items()):
            if buffer.size >= self._size or buffer.since + self._wait <= now:
                yield self._take(place)
        while self.waiting_bytes > self._most:
            yield self._take(max(self._buffers, key=lambda place: self._buffers[place].size))

    def next_due(self) -> datetime | None:
        """When the first buffer will be old enough."""
        return min((buffer.since + self._wait for buffer in self._buffers.values()), default=None)

    def _take(self, place: Place) -> Buffer:
        buffer = self._buffers.pop(place)
        self.waiting_bytes -= buffer.size
        return buffer
