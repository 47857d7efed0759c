"""ListShards with its filters, SplitShard, MergeShards, UpdateShardCount.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html and its neighbours
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from itertools import pairwise
from typing import Any

from sightline_local.cloud.kinesis.lookup import find, find_shard, invalid
from sightline_local.cloud.kinesis.shard import Shard
from sightline_local.cloud.kinesis.store import DataStreams
from sightline_local.cloud.kinesis.stream import DataStream
from sightline_local.cloud.kinesis.stream_operations import described_shard
from sightline_local.cloud.service import ServiceError

_PAGE = 1000

Params = dict[str, Any]


class ShardOperations:
    """A stream stays ACTIVE while its shards change."""

    def __init__(self, streams: DataStreams) -> None:
        self._streams = streams

    def list_shards(self, params: Params) -> Params:
        params = _continued(params)
        stream = find(self._streams, params)
        start = params.get("ExclusiveStartShardId", "")
        shards = [shard for shard in self._filtered(stream, params) if shard.shard_id > start]
        limit = int(params.get("MaxResults", _PAGE))
        answer: Params = {"Shards": [described_shard(shard) for shard in shards[:limit]]}
        if len(shards) > limit:
            again = {
                "StreamName": stream.name,
                "MaxResults": limit,
                "ExclusiveStartShardId": shards[limit - 1].shard_id,
                "ShardFilter": params.get("ShardFilter"),
            }
            answer["NextToken"] = urlsafe_b64encode(json.dumps(again).encode()).decode()
        return answer

    def _filtered(self, stream: DataStream, params: Params) -> list[Shard]:
        chosen = params.get("ShardFilter") or {"Type": "FROM_TRIM_HORIZON"}
        horizon = self._streams.now() - stream.settings.retention_hours * 3600
        shards = [shard for shard in stream.shards() if not shard.closed_at or shard.closed_at >= horizon]
        match chosen.get("Type"):
            case "AT_LATEST":
                return [shard for shard in shards if not shard.is_closed]
            case "FROM_TRIM_HORIZON":
                return shards
            case "AT_TRIM_HORIZON":
                return _open_at(shards, min(shard.created_at for shard in shards))
            case "AT_TIMESTAMP":
                return _open_at(shards, max(float(chosen["Timestamp"]), stream.created_at))
            case "FROM_TIMESTAMP":
                moment = float(chosen["Timestamp"])
                return [shard for shard in shards if not shard.closed_at or shard.closed_at >= moment]
            case "AFTER_SHARD_ID":
                return [shard for shard in shards if shard.shard_id > chosen["ShardId"]]
            case other:
                raise invalid(f"ShardFilter has no type {other}")

    def split_shard(self, params: Params) -> Params:
        stream = find(self._streams, params)
        shard = self._open(stream, params.get("ShardToSplit", ""))
        new_hash = int(params.get("NewStartingHashKey", 0))
        if not shard.first_hash < new_hash <= shard.last_hash:
            raise invalid(
                f"NewStartingHashKey {new_hash} used in SplitShard() on shard {shard.shard_id} in stream "
                f"{stream.name} under account {self._streams.account} is not both greater than one plus the "
                f"shard's StartingHashKey {shard.first_hash} and less than the shard's EndingHashKey "
                f"{shard.last_hash - 1}."
            )
        stream.split(shard, new_hash, self._streams.now())
        self._streams.tell(stream.name)
        return {}

    def merge_shards(self, params: Params) -> Params:
        stream = find(self._streams, params)
        shard = self._open(stream, params.get("ShardToMerge", ""))
        adjacent = self._open(stream, params.get("AdjacentShardToMerge", ""))
        if shard.last_hash + 1 != adjacent.first_hash and adjacent.last_hash + 1 != shard.first_hash:
            raise invalid(
                f"Shards {shard.shard_id} and {adjacent.shard_id} in stream {stream.name} under account "
                f"{self._streams.account} are not an adjacent pair of shards eligible for merging"
            )
        stream.merge(shard, adjacent, self._streams.now())
        self._streams.tell(stream.name)
        return {}

    def update_shard_count(self, params: Params) -> Params:
        """Split or merge evenly, one step after the other, until there are so many open shards."""
        stream, target = find(self._streams, params), int(params.get("TargetShardCount", 0))
        before = len(stream.open_shards())
        if target < 1 or not before / 2 <= target <= before * 2:
            raise ServiceError(
                "LimitExceededException",
                f"UpdateShardCount cannot scale {before} shards to {target}: at most to the double, or half.",
            )
        while len(stream.open_shards()) < target:
            widest = max(stream.open_shards(), key=lambda shard: shard.last_hash - shard.first_hash)
            middle = (widest.first_hash + widest.last_hash + 1) // 2
            stream.split(widest, middle, self._streams.now())
        while len(stream.open_shards()) > target:
            stream.merge(*_narrowest_pair(stream), self._streams.now())
        self._streams.tell(stream.name)
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardCount": before,
            "TargetShardCount": target,
        }

    def _open(self, stream: DataStream, shard_id: str) -> Shard:
        shard = find_shard(self._streams, stream, shard_id)
        if shard.is_closed:
            raise invalid(
                f"Shard {shard_id} in stream {stream.name} under account {self._streams.account} has already "
                "been merged or split, and thus is not eligible for merging or splitting."
            )
        return shard


def _continued(params: Params) -> Params:
    """What the page before said, when this asks for the next one."""
    token = params.get("NextToken")
    if token is None:
        return params
    if params.get("StreamName") or params.get("StreamARN"):
        raise invalid("NextToken and StreamName cannot be provided together.")
    try:
        before: Params = json.loads(urlsafe_b64decode(token))
    except (Base64Error, ValueError) as error:
        raise invalid("The NextToken is not one of this operation.") from error
    return before


def _open_at(shards: list[Shard], moment: float) -> list[Shard]:
    return [
        shard
        for shard in shards
        if shard.created_at <= moment and (shard.closed_at is None or shard.closed_at > moment)
    ]


def _narrowest_pair(stream: DataStream) -> tuple[Shard, Shard]:
    by_hash = sorted(stream.open_shards(), key=lambda shard: shard.first_hash)
    return min(pairwise(by_hash), key=lambda pair: pair[1].last_hash - pair[0].first_hash)
