"""How far a mapping is done with each shard of its stream.

A mapping reads a shard in as many lanes as its parallelization factor says, each with the partition keys of
its own. A lane's position is the sequence number up to which it is done.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from zlib import crc32

from sightline_local.state import Facts

_KIND = "lambda.mapping-position"


@dataclass(frozen=True, slots=True)
class Lane:
    """One of `count` lanes of a shard: the partition keys that fall to `number`."""

    shard_id: str
    number: int
    count: int

    def takes(self, partition_key: str) -> bool:
        return self.count == 1 or crc32(partition_key.encode()) % self.count == self.number


class Positions:
    """Positions of one mapping, kept as facts before anybody relies on them."""

    def __init__(self, mapping_uuid: str, facts: Facts) -> None:
        self._prefix = f"{mapping_uuid}/"
        self._facts = facts
        self._lock = Lock()
        self._lanes: dict[str, list[int]] = {}
        self._decided = False
        self._forgotten = False
        for key, value in facts.all(_KIND, self._prefix):
            self._lanes[key.removeprefix(self._prefix)] = json.loads(value)
            self._decided = True

    def decide(self, first: Mapping[str, int]) -> None:
        """Where each shard of now is begun, unless that was decided before; later shards at their start."""
        with self._lock:
            if self._decided:
                return
            self._decided = True
            self._lanes = {shard: [position] for shard, position in first.items()}
            self._facts.put_many(
                _KIND, [(self._prefix + s, _text(lanes)) for s, lanes in self._lanes.items()]
            )

    def is_decided(self) -> bool:
        return self._decided

    def lanes(self, shard_id: str, count: int) -> list[int]:
        """The position of each of `count` lanes.

        After a change of their number all begin at the lowest: records of the lanes that were ahead come
        again.
        """
        with self._lock:
            found = self._lanes.get(shard_id, [0])
            if len(found) != count:
                found = self._lanes[shard_id] = [min(found)] * count
            return list(found)

    def lowest(self, shard_id: str) -> int:
        """Everything up to here is done."""
        with self._lock:
            return min(self._lanes.get(shard_id, [0]))

    def advance(self, lane: Lane, sequence: int) -> None:
        """The lane is done up to `sequence`; news of lanes as they were before a change are too late."""
        with self._lock:
            lanes = self._lanes.get(lane.shard_id, [0] * lane.count)
            if self._forgotten or len(lanes) != lane.count or lanes[lane.number] >= sequence:
                return
            lanes[lane.number] = sequence
            self._lanes[lane.shard_id] = lanes
            self._facts.put(_KIND, self._prefix + lane.shard_id, _text(lanes))

    def forget(self) -> None:
        """Of no use to anybody any more; what workers still report is too late."""
        with self._lock:
            self._forgotten = True
            self._facts.delete(_KIND, [key for key, _ in self._facts.all(_KIND, self._prefix)])


def _text(lanes: list[int]) -> bytes:
    return json.dumps(lanes).encode()
