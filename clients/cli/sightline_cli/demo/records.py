"""The face records of one device, read to know when the analysis of a video has come to its end."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUIET_SECONDS = 2.0
SETTLED_SECONDS = 0.5


@dataclass
class FaceRecords:
    """Reads a face stream of one shard from its beginning."""

    kinesis: Any
    stream_name: str
    lines: list[bytes] = field(default_factory=list)
    fragments: set[str] = field(default_factory=set)
    best_similarity: float = 0.0
    _iterator: str | None = None
    _newest: float = field(default_factory=time.monotonic)

    def poll(self) -> None:
        """Read what has come since the last time."""
        answer = self.kinesis.get_records(ShardIterator=self._iterator or self._begin(), Limit=1000)
        self._iterator = answer["NextShardIterator"]
        for record in answer["Records"]:
            self._newest = time.monotonic()
            self._take(record["Data"])

    def are_complete(self, last_fragment_number: str | None) -> bool:
        """Tell whether nothing more is to come: the last fragment is analysed, or the processor is quiet."""
        self.poll()
        quiet = time.monotonic() - self._newest
        return quiet >= (SETTLED_SECONDS if last_fragment_number in self.fragments else QUIET_SECONDS)

    def write(self, path: Path) -> None:
        """Write them as `sightline replay` reads them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(line + b"\n" for line in self.lines))

    def _begin(self) -> str:
        shards = self.kinesis.list_shards(StreamName=self.stream_name)["Shards"]
        answer = self.kinesis.get_shard_iterator(
            StreamName=self.stream_name, ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        return str(answer["ShardIterator"])

    def _take(self, data: bytes) -> None:
        record = json.loads(data)
        self.lines.append(data.rstrip(b"\n"))
        self.fragments.add(str(record["InputInformation"]["KinesisVideo"]["FragmentNumber"]))
        matches = [match for face in record["FaceSearchResponse"] for match in face["MatchedFaces"]]
        self.best_similarity = max([self.best_similarity, *(match["Similarity"] for match in matches)])
