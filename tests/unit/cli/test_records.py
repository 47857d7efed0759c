"""When a video is analysed to its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.camera_progress import PersistedFragment
from sightline_cli.demo.analysis import Sightings
from sightline_cli.demo.records import FaceRecords, FrameId
from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.replay import parse_record

LAST = PersistedFragment("2", video_seconds=1.0, duration_seconds=1.0)


def a_record(fragment: str, offset: float = 0.0, similarity: float | None = None) -> bytes:
    video = {
        "StreamArn": "arn",
        "FragmentNumber": fragment,
        "ProducerTimestamp": 1.0,
        "FrameOffsetInSeconds": offset,
    }
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


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def reading(kinesis: FakeKinesis, clock: Clock | None = None) -> FaceRecords:
    return FaceRecords(StreamReader(kinesis, "faces"), 90.0, clock or Clock())


def test_it_is_complete_with_the_record_of_the_last_frame_that_a_processor_takes() -> None:
    kinesis = FakeKinesis(a_record("1"), a_record("2", 0.4), a_record("2", 0.6))
    reader = reading(kinesis)

    assert not reader.are_complete(LAST)
    kinesis.records.append(a_record("2", 0.8))
    assert reader.are_complete(LAST)


@pytest.mark.parametrize(
    ("offset", "patience"),
    [
        (0.6, 1.0),  # a late processor takes a frame a second: perhaps that was it
        (None, 10.0),  # and one that is very late takes none of the last fragment
    ],
)
def test_a_processor_that_was_late_is_waited_for_until_it_is_quiet(
    offset: float | None, patience: float
) -> None:
    kinesis, clock = FakeKinesis(a_record("1")), Clock()
    if offset is not None:
        kinesis.records.append(a_record("2", offset))
    reader = reading(kinesis, clock)

    assert not reader.are_complete(LAST)
    clock.seconds += patience - 0.01
    assert not reader.are_complete(LAST)
    clock.seconds += 0.01
    assert reader.are_complete(LAST)


def test_on_a_busy_machine_quiet_is_longer_than_the_pauses_between_its_records() -> None:
    kinesis, clock = FakeKinesis(a_record("1")), Clock()
    reader = reading(kinesis, clock)
    reader.are_complete(LAST)
    clock.seconds += 4
    kinesis.records.append(a_record("2", 0.0))
    reader.are_complete(LAST)

    clock.seconds += 11.9
    assert not reader.are_complete(LAST)
    kinesis.records.append(a_record("2", 0.8))
    assert reader.are_complete(LAST)


def test_a_long_fragment_is_not_done_with_its_first_frame() -> None:
    kinesis, clock = FakeKinesis(a_record("2", 0.0)), Clock()
    reader = reading(kinesis, clock)
    long = PersistedFragment("2", 0.0, duration_seconds=2.9)
    reader.are_complete(long)

    clock.seconds += 2
    assert not reader.are_complete(long)
    kinesis.records.append(a_record("2", 2.8))
    assert reader.are_complete(long)


def test_every_record_is_read_once_and_the_last_match_above_the_threshold_is_known() -> None:
    kinesis = FakeKinesis(a_record("1"), a_record("2", 0.2, 91.5))
    reader = reading(kinesis)

    reader.poll()
    kinesis.records.append(a_record("3", 0.0, 84.0))
    reader.poll()

    assert len(reader.lines) == 3
    assert reader.last_match == FrameId("2", 200)


def test_a_frame_has_its_sightings_when_the_sightings_stream_tells_of_it() -> None:
    kinesis = FakeKinesis(json.dumps({"fragment_number": "2", "frame_offset_seconds": 0.2}).encode())
    sightings = Sightings(StreamReader(kinesis, "sightings"))

    assert sightings.include(FrameId("2", 200))
    assert not sightings.include(FrameId("2", 400))


def test_what_is_kept_can_be_replayed(tmp_path: Path) -> None:
    reader = reading(FakeKinesis(a_record("1") + b"\n", a_record("2")))
    reader.poll()

    reader.write(tmp_path / "kept" / "face-records.jsonl")

    lines = (tmp_path / "kept" / "face-records.jsonl").read_bytes().splitlines()
    assert [parse_record(line).taken_at for line in lines] == [1.0, 1.0]
