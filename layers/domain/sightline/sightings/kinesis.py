"""The sightings stream."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.errors import UnavailableError
from sightline.outages import any_failure_means_later
from sightline.sightings.model import Row

# PutRecords takes 500 records and 5 MB, keys included.
ROWS_AT_ONCE, BYTES_AT_ONCE = 500, 5 * 1024 * 1024
# A shard that is too busy takes part of a request; the rest goes again after longer and longer pauses.
PAUSES_SECONDS = (0.1, 0.3, 0.9)


@dataclass(frozen=True, slots=True)
class KinesisSightingStream:
    """`client` is a boto3 Kinesis client; `pause` waits for so many seconds."""

    client: Any
    stream: str
    pause: Callable[[float], None]

    def put(self, rows: Sequence[Row]) -> frozenset[str]:
        refused: set[str] = set()
        for chunk in _chunks(rows):
            refused.update(row.sighting_id for row in self._put_chunk(chunk))
        return frozenset(refused)

    def _put_chunk(self, rows: Sequence[Row]) -> Sequence[Row]:
        """What has not gone in after all attempts."""
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                rows = self._put_once(rows)
            except UnavailableError:
                return rows  # boto3 has tried several times already
            if not rows or pause_seconds is None:
                return rows
            self.pause(pause_seconds)
        return rows

    def _put_once(self, rows: Sequence[Row]) -> Sequence[Row]:
        with any_failure_means_later("the sightings stream"):
            answer = self.client.put_records(
                StreamName=self.stream,
                Records=[{"Data": row.content, "PartitionKey": row.device_id} for row in rows],
            )
        return [row for row, done in zip(rows, answer["Records"], strict=True) if done.get("ErrorCode")]


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in rows:
        row_size = len(row.content) + len(row.device_id.encode())
        if chunk and (len(chunk) == ROWS_AT_ONCE or size + row_size > BYTES_AT_ONCE):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += row_size
    if chunk:
        yield chunk
