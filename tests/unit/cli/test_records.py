"""When a video is analysed to its end."""

import json
from pathlib import Path
from typing import Any

from sightline_cli.demo import records
from sightline_cli.demo.records import FaceRecords
from sightline_cli.replay import parse_record


def a_record(fragment: str, similarity: float | None = None) -> bytes:
    video = {"StreamArn": "arn", "FragmentNumber": fragment, "ProducerTimestamp": 1.0}
    matches = [] if similarity is None else [{"Similarity": similarity, "Face": {}}]
    faces = [{"DetectedFace": {}, "MatchedFaces": matches}]
    return json.dumps({"InputInformation": {"KinesisVideo": video}, "FaceSearchResponse": faces}).encode()


class FakeKinesis:
    """One shard, whose iterators are positions."""

    def __init__(self, *records: bytes) -> None:
        self.records = list(records)

    def list_shards(self, **_: Any) -> dict[str, Any]:
        return {"Shards": [{"ShardId": "shard"}]}

    def get_shard_iterator(self, **named: Any) -> dict[str, Any]:
        assert named["ShardIteratorType"] == "TRIM_HORIZON"
        return {"ShardIterator": "0"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803 - boto3's way
        found = self.records[int(ShardIterator) :][:Limit]
        following = str(int(ShardIterator) + len(found))
        return {"Records": [{"Data": data} for data in found], "NextShardIterator": following}


def test_it_is_complete_soon_after_a_record_of_the_last_fragment(monkeypatch: Any) -> None:
    monkeypatch.setattr(records, "SETTLED_SECONDS", 0.0)
    reader = FaceRecords(FakeKinesis(a_record("1"), a_record("2")), "faces")

    assert reader.are_complete("2")
    assert not reader.are_complete("3")


def test_it_is_complete_when_the_processor_is_quiet(monkeypatch: Any) -> None:
    monkeypatch.setattr(records, "QUIET_SECONDS", 0.0)

    assert FaceRecords(FakeKinesis(a_record("1")), "faces").are_complete("3")


def test_every_record_is_read_once_and_the_best_match_is_known() -> None:
    kinesis = FakeKinesis(a_record("1"), a_record("2", 91.5))
    reader = FaceRecords(kinesis, "faces")

    reader.poll()
    kinesis.records.append(a_record("3", 84.0))
    reader.poll()

    assert len(reader.lines) == 3
    assert reader.best_similarity == 91.5


def test_what_is_kept_can_be_replayed(tmp_path: Path) -> None:
    reader = FaceRecords(FakeKinesis(a_record("1") + b"\n", a_record("2")), "faces")
    reader.poll()

    reader.write(tmp_path / "kept" / "face-records.jsonl")

    lines = (tmp_path / "kept" / "face-records.jsonl").read_bytes().splitlines()
    assert [parse_record(line).taken_at for line in lines] == [1.0, 1.0]
