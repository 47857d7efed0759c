"""Records of a Kinesis stream: read in this process, written into Lambda's event."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sightline_local.cloud.kinesis import DataStream, DataStreams, Shard, StreamGone

_READ_AT_ONCE = 10_000

__all__ = ["Stream", "StreamGone", "StreamRecord", "event_of"]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record; `data` is base64, as both ends want it."""

    shard_id: str
    sequence: int
    partition_key: str
    data: str
    arrived_at: float  # seconds since the epoch


class Stream:
    """A stream by ARN, whatever becomes of it: each question raises StreamGone when it is not there."""

    def __init__(self, arn: str, streams: DataStreams) -> None:
        self.arn = arn
        self._streams = streams
        self._name = arn.rpartition("/")[2]

    def incarnation(self) -> float:
        """When it was created: a new stream of an old name counts its records anew."""
        return self._stream().created_at

    def retention_seconds(self) -> int:
        return self._stream().settings.retention_hours * 3600

    def shard_ids(self) -> list[str]:
        return [shard.shard_id for shard in self._stream().shards()]

    def parents(self, shard_id: str) -> list[str]:
        """The shards that were split or merged into this one."""
        return list(self._shard(shard_id).parents)

    def is_closed(self, shard_id: str) -> bool:
        """Whether nothing more can come into it, because it was split or merged."""
        return self._shard(shard_id).is_closed

    def last_sequence(self, shard_id: str) -> int:
        return self._shard(shard_id).last_sequence

    def sequence_before(self, shard_id: str, moment: float) -> int:
        """The last record that arrived before `moment` (seconds since the epoch)."""
        return self._shard(shard_id).before(moment)

    def read(self, shard_id: str, after: int) -> Iterator[StreamRecord]:
        """The records that follow `after`, oldest first; up to 10,000, as GetRecords."""
        self._shard(shard_id)
        for r in self._stream().read(shard_id, after, _READ_AT_ONCE):
            yield StreamRecord(shard_id, r.sequence, r.partition_key, r.data, r.arrived_at)

    def _stream(self) -> DataStream:
        return self._streams.named(self._name)

    def _shard(self, shard_id: str) -> Shard:
        try:
            return self._stream().shard(shard_id)
        except KeyError as error:
            raise StreamGone(f"Shard {shard_id} of {self.arn} not found") from error


def event_of(records: Sequence[StreamRecord], stream_arn: str, role_arn: str) -> bytes:
    """The event that Lambda hands to a function.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    region = stream_arn.split(":")[3]
    return json.dumps(
        {"Records": [_entry(record, stream_arn, role_arn, region) for record in records]}
    ).encode()


def _entry(record: StreamRecord, stream_arn: str, role_arn: str, region: str) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": str(record.sequence),
            "data": record.data,
            "approximateArrivalTimestamp": round(record.arrived_at, 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{record.shard_id}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn,
        "awsRegion": region,
        "eventSourceARN": stream_arn,
    }
