"""The Kinesis API: an operation's name to the method that carries it out."""

from collections.abc import Callable
from typing import Any

from botocore import xform_name

from sightline_local.cloud.kinesis.fan_out import FanOut
from sightline_local.cloud.kinesis.iterators import read_iterator
from sightline_local.cloud.kinesis.records import RecordOperations
from sightline_local.cloud.kinesis.shard_operations import ShardOperations
from sightline_local.cloud.kinesis.store import DataStreams
from sightline_local.cloud.kinesis.stream_operations import StreamOperations
from sightline_local.cloud.service import EventStream, ServiceError, unknown_operation
from sightline_local.iam import Caller


class KinesisService:
    """Takes and gives the JSON of the wire as it is: records pass without being decoded."""

    speaks_json = True

    def __init__(self, streams: DataStreams, fan_out: FanOut | None = None) -> None:
        self._streams = streams
        groups = (RecordOperations(streams), StreamOperations(streams), ShardOperations(streams))
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any] | EventStream]] = {
            name: getattr(group, name)
            for group in (*groups, fan_out or FanOut(streams))
            for name in dir(group)
            if not name.startswith("_")
        }

    def emulates(self, operation: str) -> bool:
        return xform_name(operation) in self._operations

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Which stream a shard iterator is of, whatever else the request says."""
        if operation != "GetRecords":
            return {}
        iterator = read_iterator(str(params.get("ShardIterator", "")), self._streams.now())
        return {"StreamARN": self._streams.arn_of(iterator.stream)}

    def handle(self, operation: str, params: dict[str, Any], _caller: Caller) -> dict[str, Any] | EventStream:
        carry_out = self._operations.get(xform_name(operation))
        if carry_out is None:
            raise unknown_operation("kinesis", operation)
        if params.get("DryRun"):
            raise ServiceError(
                "DryRunOperationException", "Request would have succeeded, but DryRun flag is set."
            )
        return carry_out(params)
