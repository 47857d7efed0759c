"""Streams themselves: create, describe, list, delete, retention, tags, encryption, consumers.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html
"""

import re
from typing import Any

from sightline_local.cloud.kinesis.lookup import find, find_consumer, invalid
from sightline_local.cloud.kinesis.store import DataStreams
from sightline_local.cloud.kinesis.stream import SHORTEST_RETENTION_HOURS, DataStream
from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_LONGEST_RETENTION_HOURS = 8760
_ON_DEMAND_SHARDS = 4
_SHARD_LIMIT = 20_000
_TAG_LIMIT = 50

Params = dict[str, Any]


class StreamOperations:
    """A stream is ACTIVE as soon as it is created, and gone as soon as it is deleted."""

    def __init__(self, streams: DataStreams) -> None:
        self._streams = streams

    def create_stream(self, params: Params) -> Params:
        name = str(params.get("StreamName", ""))
        if not _NAME.fullmatch(name):
            raise ServiceError(
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'streamName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
            )
        mode = params.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        count = params.get("ShardCount", _ON_DEMAND_SHARDS if mode == "ON_DEMAND" else None)
        if not isinstance(count, int) or not 1 <= count <= _SHARD_LIMIT:
            raise invalid("ShardCount must be specified, and positive, for PROVISIONED streams.")
        _check_tags(params.get("Tags", {}))
        stream = self._streams.create(name, count)
        if stream is None:
            raise ServiceError(
                "ResourceInUseException",
                f"Stream {name} under account {self._streams.account} already exists.",
            )
        stream.settings.mode = mode
        stream.settings.tags |= params.get("Tags", {})
        stream.keep()
        return {}

    def delete_stream(self, params: Params) -> Params:
        stream = find(self._streams, params)
        if stream.settings.consumers and not params.get("EnforceConsumerDeletion"):
            raise ServiceError("ResourceInUseException", f"Stream {stream.name} has registered consumers.")
        self._streams.delete(stream.name)
        self._streams.tell(stream.name)
        return {}

    def describe_stream(self, params: Params) -> Params:
        stream = find(self._streams, params)
        shards = stream.shards()
        start = params.get("ExclusiveStartShardId", "")
        left = [shard for shard in shards if shard.shard_id > start]
        limit = int(params.get("Limit", 100))
        shown = [described_shard(shard) for shard in left[:limit]]
        more = {"Shards": shown, "HasMoreShards": len(left) > limit}
        return {"StreamDescription": {**_described(stream), **more}}

    def describe_stream_summary(self, params: Params) -> Params:
        stream = find(self._streams, params)
        counts = {
            "OpenShardCount": len(stream.open_shards()),
            "ConsumerCount": len(stream.settings.consumers),
        }
        return {"StreamDescriptionSummary": {**_described(stream), **counts}}

    def list_streams(self, params: Params) -> Params:
        names = self._streams.names()
        if start := params.get("ExclusiveStartStreamName"):
            names = [name for name in names if name > start]
        chosen, token = page(names, params.get("NextToken"), int(params.get("Limit", 100)))
        summaries = [_summary(self._streams.named(name)) for name in chosen]
        answer = {"StreamNames": chosen, "HasMoreStreams": token is not None, "StreamSummaries": summaries}
        return {**answer, "NextToken": token} if token else answer

    def describe_limits(self, _params: Params) -> Params:
        streams = [self._streams.named(name) for name in self._streams.names()]
        return {
            "ShardLimit": _SHARD_LIMIT,
            "OpenShardCount": sum(len(each.open_shards()) for each in streams),
            "OnDemandStreamCount": sum(each.settings.mode == "ON_DEMAND" for each in streams),
            "OnDemandStreamCountLimit": 50,
        }

    def increase_stream_retention_period(self, params: Params) -> Params:
        return self._retain(params, longer=True)

    def decrease_stream_retention_period(self, params: Params) -> Params:
        return self._retain(params, longer=False)

    def _retain(self, params: Params, *, longer: bool) -> Params:
        stream, hours = find(self._streams, params), int(params.get("RetentionPeriodHours", 0))
        if not SHORTEST_RETENTION_HOURS <= hours <= _LONGEST_RETENTION_HOURS:
            raise invalid(
                f"Requested retention period ({hours} hours) must be between {SHORTEST_RETENTION_HOURS} and "
                f"{_LONGEST_RETENTION_HOURS} hours."
            )
        now = stream.settings.retention_hours
        if (hours < now) if longer else (hours > now):
            side = "shorter" if longer else "longer"
            raise invalid(
                f"Requested retention period ({hours} hours) for stream {stream.name} can not be {side} than "
                f"existing retention period ({now} hours)."
            )
        stream.settings.retention_hours = hours
        stream.keep()
        return {}

    def start_stream_encryption(self, params: Params) -> Params:
        return self._encrypt(params, params.get("KeyId"))

    def stop_stream_encryption(self, params: Params) -> Params:
        return self._encrypt(params, None)

    def _encrypt(self, params: Params, key: str | None) -> Params:
        stream = find(self._streams, params)
        stream.settings.encryption_key = key
        stream.keep()
        return {}

    def update_stream_mode(self, params: Params) -> Params:
        stream = find(self._streams, params)
        stream.settings.mode = params.get("StreamModeDetails", {}).get("StreamMode", "")
        stream.keep()
        return {}

    # ------------------------------------------------------------------ tags

    def add_tags_to_stream(self, params: Params) -> Params:
        stream, tags = find(self._streams, params), params.get("Tags", {})
        _check_tags({**stream.settings.tags, **tags})
        stream.settings.tags |= tags
        stream.keep()
        return {}

    def remove_tags_from_stream(self, params: Params) -> Params:
        stream = find(self._streams, params)
        for name in params.get("TagKeys", []):
            stream.settings.tags.pop(name, None)
        stream.keep()
        return {}

    def list_tags_for_stream(self, params: Params) -> Params:
        tags = sorted(find(self._streams, params).settings.tags.items())
        return {"Tags": [{"Key": name, "Value": value} for name, value in tags], "HasMoreTags": False}

    def list_tags_for_resource(self, params: Params) -> Params:
        return {"Tags": self.list_tags_for_stream(params)["Tags"]}

    tag_resource = add_tags_to_stream
    untag_resource = remove_tags_from_stream

    # ------------------------------------------------------------------ consumers

    def register_stream_consumer(self, params: Params) -> Params:
        stream, name = find(self._streams, params), str(params.get("ConsumerName", ""))
        if name in stream.settings.consumers:
            raise ServiceError("ResourceInUseException", f"Consumer {name} already exists.")
        stream.settings.consumers[name] = self._streams.now()
        stream.keep()
        return {"Consumer": _consumer(stream, name)}

    def describe_stream_consumer(self, params: Params) -> Params:
        stream, name = self._consumer_of(params)
        return {"ConsumerDescription": {**_consumer(stream, name), "StreamARN": stream.arn}}

    def list_stream_consumers(self, params: Params) -> Params:
        stream = find(self._streams, params)
        return {"Consumers": [_consumer(stream, name) for name in sorted(stream.settings.consumers)]}

    def deregister_stream_consumer(self, params: Params) -> Params:
        stream, name = self._consumer_of(params)
        del stream.settings.consumers[name]
        stream.keep()
        self._streams.tell(stream.name)  # its subscriptions end
        return {}

    def _consumer_of(self, params: Params) -> tuple[DataStream, str]:
        stream, arn = find_consumer(self._streams, params)
        return stream, arn.rpartition("/")[2].split(":")[0]


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > _TAG_LIMIT:
        raise invalid(f"A stream has at most {_TAG_LIMIT} tags.")


def _described(stream: DataStream) -> Params:
    settings = stream.settings
    encryption = {"EncryptionType": "NONE"}
    if settings.encryption_key:
        encryption = {"EncryptionType": "KMS", "KeyId": settings.encryption_key}
    return {
        **_summary(stream),
        **encryption,
        "RetentionPeriodHours": settings.retention_hours,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
    }


def _summary(stream: DataStream) -> Params:
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": stream.settings.mode},
        "StreamCreationTimestamp": stream.created_at,
    }


def described_shard(shard: Any) -> Params:
    """A shard as ListShards and DescribeStream show it."""
    sequences = {"StartingSequenceNumber": str(shard.starting_sequence)}
    if shard.is_closed:
        sequences["EndingSequenceNumber"] = str(shard.ending_sequence)
    family = dict(zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False))
    return {
        "ShardId": shard.shard_id,
        **family,
        "HashKeyRange": {"StartingHashKey": str(shard.first_hash), "EndingHashKey": str(shard.last_hash)},
        "SequenceNumberRange": sequences,
    }


def _consumer(stream: DataStream, name: str) -> Params:
    return {
        "ConsumerName": name,
        "ConsumerARN": stream.consumer_arn(name),
        "ConsumerStatus": "ACTIVE",
        "ConsumerCreationTimestamp": stream.settings.consumers[name],
    }
