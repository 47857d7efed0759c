"""A local stack's streams: what is put into them and what has come out."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sightline_cli.stack import Stack, Target
from sightline_local.runtime import Runtime, RuntimeOptions

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
RECORDS_PER_CALL = 500
OPTIONS = RuntimeOptions(
    template=TEMPLATE, api_port=0, aws_port=0, parameters={"Lake": "false", "StreamingSql": "true"}
)


class Streams:
    """Of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        options = runtime.options
        self._kinesis = Stack(Target(runtime.aws_url, options.region, options.stack_name)).client("kinesis")
        self._outputs = runtime.outputs

    def send(self, records: Sequence[bytes]) -> None:
        """Into the sightings stream, in this order."""
        name = self._outputs["SightingsStreamName"]
        for start in range(0, len(records), RECORDS_PER_CALL):
            chunk = records[start : start + RECORDS_PER_CALL]
            entries = [{"Data": each, "PartitionKey": "one shard"} for each in chunk]
            answer = self._kinesis.put_records(StreamName=name, Records=entries)
            assert answer["FailedRecordCount"] == 0

    def results(self) -> list[dict[str, Any]]:
        """Every row that the job has written, crowding too."""
        names = (self._outputs["StreamingResultsStreamName"], self._outputs["CrowdingStreamName"])
        return [json.loads(data) for name in names for data in self._all(name)]

    def _all(self, name: str) -> Iterable[bytes]:
        for shard in self._kinesis.list_shards(StreamName=name)["Shards"]:
            begin = self._kinesis.get_shard_iterator(
                StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            at: str | None = begin["ShardIterator"]
            while at is not None:
                answer = self._kinesis.get_records(ShardIterator=at)
                yield from (record["Data"] for record in answer["Records"])
                at = answer["NextShardIterator"] if answer["MillisBehindLatest"] else None


def of_query(rows: Iterable[dict[str, Any]], query: str) -> list[str]:
    """Its rows in an order of their own, so that two lists of them can be compared."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows if row["query"] == query)
