"""Records on their way, and how far everything of a source is done."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

DIRECT = "direct"  # the lane of records that were put


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `lane` is its shard, or DIRECT."""

    lane: str
    sequence: int
    data: bytes
    arrived_at: float  # seconds since the epoch
    partition_key: str | None = None
    keys: Mapping[str, str] | None = None  # of its partition, which the Lambda function named

    @property
    def id(self) -> str:
        """As long as AWS's: a sequence number of 56 digits and a sub-sequence number of 6."""
        return f"{self.sequence:056d}{0:06d}" if self.lane == DIRECT else f"{self.lane}{self.sequence:056d}"

    def arrival(self) -> datetime:
        return datetime.fromtimestamp(self.arrived_at, UTC)


class Progress:
    """Which records were taken and are not done; what lies before the first of them is done for good."""

    def __init__(self) -> None:
        self._open: dict[str, OrderedDict[int, None]] = {}
        self._last: dict[str, int] = {}

    def take(self, records: Iterable[Record]) -> None:
        """They come in the order of their lane."""
        for record in records:
            self._open.setdefault(record.lane, OrderedDict())[record.sequence] = None
            self._last[record.lane] = record.sequence

    def done(self, records: Iterable[Record]) -> dict[str, int]:
        """The lanes that went on, each with the last sequence number up to which all is done."""
        before = {record.lane: self._position(record.lane) for record in records}
        for record in records:
            self._open[record.lane].pop(record.sequence, None)
        after = {lane: self._position(lane) for lane in before}
        return {lane: position for lane, position in after.items() if position != before[lane]}

    def _position(self, lane: str) -> int:
        still = self._open.get(lane)
        return next(iter(still)) - 1 if still else self._last.get(lane, 0)
