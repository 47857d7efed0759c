"""Kinesis Data Streams: shards of records in order, and the calls that put and get them.

`DataStreams` (store.py) has every stream by name; mappings and deliveries read it in this process.
`KinesisService` (service.py) is the API in front of it.
"""

from sightline_local.cloud.kinesis.service import KinesisService
from sightline_local.cloud.kinesis.shard import Record, Shard
from sightline_local.cloud.kinesis.store import DataStreams, StreamGone
from sightline_local.cloud.kinesis.stream import DataStream

__all__ = ["DataStream", "DataStreams", "KinesisService", "Record", "Shard", "StreamGone"]
