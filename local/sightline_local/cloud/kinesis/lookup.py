"""The stream, and the shard, that a request means."""

from typing import Any

from sightline_local.cloud.kinesis.shard import Shard
from sightline_local.cloud.kinesis.store import DataStreams, StreamGone
from sightline_local.cloud.kinesis.stream import DataStream
from sightline_local.cloud.service import ServiceError


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidArgumentException", message)


def violation(message: str) -> ServiceError:
    return ServiceError("ValidationException", f"1 validation error detected: {message}")


def name_in(params: dict[str, Any]) -> str:
    """The name, or the one in the ARN (of the stream, or of one of its consumers)."""
    arn = params.get("StreamARN") or params.get("ResourceARN") or params.get("ConsumerARN") or ""
    return str(params.get("StreamName") or arn.partition(":stream/")[2].split("/")[0])


def find(streams: DataStreams, params: dict[str, Any]) -> DataStream:
    """ResourceNotFoundException when there is none, InvalidArgumentException when none is named."""
    name = name_in(params)
    if not name:
        raise invalid("Either StreamName or StreamARN must be specified.")
    try:
        return streams.named(name)
    except StreamGone as error:
        raise ServiceError("ResourceNotFoundException", str(error)) from error


def find_consumer(streams: DataStreams, params: dict[str, Any]) -> tuple[DataStream, str]:
    """The stream, and the consumer's ARN."""
    stream = find(streams, params)
    arn = str(params.get("ConsumerARN", ""))
    name = str(params.get("ConsumerName") or arn.rpartition("/")[2].split(":")[0])
    if name not in stream.settings.consumers or arn not in ("", stream.consumer_arn(name)):
        raise ServiceError("ResourceNotFoundException", f"Consumer {name} of {name_in(params)} not found.")
    return stream, stream.consumer_arn(name)


def find_shard(streams: DataStreams, stream: DataStream, shard_id: str) -> Shard:
    try:
        return stream.shard(shard_id)
    except KeyError as error:
        raise ServiceError(
            "ResourceNotFoundException",
            f"Could not find shard {shard_id} in stream {stream.name} under account {streams.account}.",
        ) from error
