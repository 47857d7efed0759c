"""kill -9 while a camera streams and a processor watches: no fragment is lost, no frame is analysed twice."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest

from sightline_camera import CameraEvent, stream_video
from sightline_media.acks import PERSISTED
from tests.fakes.killable import Killable
from tests.unit.media.videos import make_video

TEMPLATE = """
Resources:
  People: {Type: AWS::Rekognition::Collection, Properties: {CollectionId: people}}
  Watch:
    Type: AWS::IAM::Role
    Properties:
      RoleName: watch
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          {Effect: Allow, Principal: {Service: rekognition.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              Effect: Allow
              Action: [kinesisvideo:GetDataEndpoint, kinesisvideo:GetMedia, kinesis:PutRecords]
              Resource: '*'
"""
FACES = "arn:aws:kinesis:us-east-1:123456789012:stream/faces"
ROLE = "arn:aws:iam::123456789012:role/watch"


class Stack(Killable):
    """With a face stream and a video stream."""

    def records(self) -> list[dict[str, Any]]:
        kinesis = self.client("kinesis")
        shard = kinesis.list_shards(StreamName="faces")["Shards"][0]["ShardId"]
        answer = {
            "NextShardIterator": kinesis.get_shard_iterator(
                StreamName="faces", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
        }
        found: list[dict[str, Any]] = []
        while "NextShardIterator" in answer:
            answer = kinesis.get_records(ShardIterator=answer["NextShardIterator"])
            found += [
                json.loads(record["Data"])["InputInformation"]["KinesisVideo"] for record in answer["Records"]
            ]
            if not answer["Records"]:
                break
        return found

    def fragments(self, video: str) -> list[dict[str, Any]]:
        endpoint = self.client("kinesisvideo").get_data_endpoint(StreamARN=video, APIName="LIST_FRAGMENTS")
        now = datetime.now(UTC)
        listed: list[dict[str, Any]] = self.client(
            "kinesis-video-archived-media", endpoint["DataEndpoint"]
        ).list_fragments(
            StreamARN=video,
            FragmentSelector={
                "FragmentSelectorType": "SERVER_TIMESTAMP",
                "TimestampRange": {"StartTimestamp": now - timedelta(hours=1), "EndTimestamp": now},
            },
        )["Fragments"]
        return sorted(listed, key=lambda each: int(each["FragmentNumber"]))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    made = Stack(tmp_path)
    yield made
    made.kill()


def until(condition: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def a_watched_stream(stack: Stack) -> str:
    """ARN of a video stream whose processor is RUNNING."""
    video: str = stack.client("kinesisvideo").create_stream(StreamName="gate", DataRetentionInHours=1)[
        "StreamARN"
    ]
    stack.client("kinesis").create_stream(StreamName="faces", ShardCount=1)
    rekognition = stack.client("rekognition")
    rekognition.create_stream_processor(
        Name="gate",
        Input={"KinesisVideoStream": {"Arn": video}},
        Output={"KinesisDataStream": {"Arn": FACES}},
        RoleArn=ROLE,
        Settings={"FaceSearch": {"CollectionId": "people"}},
    )
    until(
        lambda: (
            stack.client("kinesis").describe_stream_summary(StreamName="faces")["StreamDescriptionSummary"][
                "StreamStatus"
            ]
            == "ACTIVE"
        )
    )
    rekognition.start_stream_processor(Name="gate")
    until(lambda: status(stack) == "RUNNING")
    return video


def status(stack: Stack) -> str:
    return str(stack.client("rekognition").describe_stream_processor(Name="gate")["Status"])


def test_a_camera_and_a_processor_go_on_through_kill_9(stack: Stack, tmp_path: Path) -> None:
    stack.start()
    video = a_watched_stream(stack)
    persisted: list[str] = []

    def note(event: CameraEvent) -> None:
        if event.ack and event.ack.event_type == PERSISTED and event.ack.number:
            persisted.append(event.ack.number)

    film = make_video(tmp_path / "film.mkv", seconds=8, fps=10, gop_seconds=1)
    session = boto3.Session("local", "local", region_name="us-east-1")
    camera = Thread(
        target=lambda: stream_video(
            film, stream_arn=video, session=session, endpoint_url=stack.url, on_event=note
        )
    )
    camera.start()
    until(lambda: len(persisted) >= 3 and len(stack.records()) >= 8)
    stack.kill()
    stack.start()
    camera.join(60)
    assert not camera.is_alive()

    fragments = stack.fragments(video)
    last = fragments[-1]["FragmentNumber"]
    records = until(lambda: (found := stack.records()) and found[-1]["FragmentNumber"] == last and found)
    time.sleep(1)  # the last fragment's other frames
    records = stack.records()

    assert set(persisted) <= {each["FragmentNumber"] for each in fragments}
    places = [(each["FragmentNumber"], each["FrameOffsetInSeconds"]) for each in records]
    assert len(places) == len(set(places))
    assert places == sorted(places, key=lambda place: (int(place[0]), place[1]))
    offsets = defaultdict(list)
    for number, offset in places:
        offsets[number].append(offset)
    for each in fragments:
        seen = offsets[each["FragmentNumber"]]
        assert seen, "a fragment was skipped"
        gaps = [later - earlier for earlier, later in pairwise(seen)]
        assert seen[0] <= 0.2
        assert max(gaps, default=0) <= 1.0
    assert status(stack) == "RUNNING"
