"""A Kinesis stream, read from its beginning."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class StreamReader:
    """Reads every shard; `kinesis` is a boto3 client."""

    kinesis: Any
    stream_name: str
    _iterators: dict[str, str] = field(default_factory=dict)

    def poll(self) -> list[bytes]:
        """Give what has come since the last time."""
        self._iterators = self._iterators or self._begin()
        found: list[bytes] = []
        for shard, iterator in list(self._iterators.items()):
            answer = self.kinesis.get_records(ShardIterator=iterator, Limit=1000)
            self._iterators[shard] = answer["NextShardIterator"]
            found += [record["Data"] for record in answer["Records"]]
        return found

    def _begin(self) -> dict[str, str]:
        shards = self.kinesis.list_shards(StreamName=self.stream_name)["Shards"]
        return {shard["ShardId"]: self._beginning_of(shard["ShardId"]) for shard in shards}

    def _beginning_of(self, shard: str) -> str:
        answer = self.kinesis.get_shard_iterator(
            StreamName=self.stream_name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )
        return str(answer["ShardIterator"])
