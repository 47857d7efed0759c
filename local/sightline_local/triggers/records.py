"""Records of a Kinesis stream: read from moto's shards, written into Lambda's event."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from moto.kinesis.models import kinesis_backends


class StreamGone(Exception):  # noqa: N818  what happened
    """The stream does not exist (any more)."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record; `data` is base64, as both ends want it."""

    shard_id: str
    sequence: int
    partition_key: str
    data: str
    arrived_at: float  # seconds since the epoch


class Stream:
    """A stream by ARN. Reads in process: GetRecords of moto walks a shard from its start at every call."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._region, self._account = arn.split(":")[3:5]
        self._name = arn.rpartition("/")[2]

    def incarnation(self) -> float:
        """When it was created: a new stream of an old name counts its records anew."""
        return float(self._stream().creation_datetime.timestamp())

    def retention_seconds(self) -> int:
        return int(self._stream().retention_period_hours) * 3600

    def shard_ids(self) -> list[str]:
        return list(self._stream().shards)

    def last_sequence(self, shard_id: str) -> int:
        return int(self._shard(shard_id).get_max_sequence_number())

    def sequence_before(self, shard_id: str, moment: float) -> int:
        """The last record that arrived before `moment` (seconds since the epoch)."""
        return int(self._shard(shard_id).get_sequence_number_at(moment))

    def read(self, shard_id: str, after: int, limit: int) -> list[StreamRecord]:
        """Up to `limit` records that follow `after`, oldest first."""
        records = self._shard(shard_id).records
        last = next(reversed(records), 0)
        present = (records.get(sequence) for sequence in range(after + 1, last + 1))
        found = islice((record for record in present if record is not None), limit)
        return [
            StreamRecord(shard_id, r.sequence_number, r.partition_key, r.data, float(r.created_at))
            for r in found
        ]

    def _stream(self) -> Any:
        stream = kinesis_backends[self._account][self._region].streams.get(self._name)
        if stream is None:
            raise StreamGone(f"Stream {self.arn} not found")
        return stream

    def _shard(self, shard_id: str) -> Any:
        shard = self._stream().shards.get(shard_id)
        if shard is None:
            raise StreamGone(f"Shard {shard_id} of {self.arn} not found")
        return shard


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
