"""Stream processors from end to end: real video in over PutMedia, face records out of the face stream."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sightline_camera import stream_video
from tests.fakes.matroska import cluster, head
from tests.fakes.producer import Producer

FACES_ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/faces-gate"
READ_VIDEO = {
    "Effect": "Allow",
    "Action": ["kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia"],
    "Resource": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate/*",
}
WRITE_RECORDS = {
    "Effect": "Allow",
    "Action": ["kinesis:PutRecord", "kinesis:PutRecords"],
    "Resource": FACES_ARN,
}
NO_VIDEO = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate/1700000000000"


class Site:
    """A gate: its streams, its role, its processor."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.rekognition = cloud.client("rekognition")
        self.kinesis = cloud.client("kinesis")

    def create(self, **changed: Any) -> None:
        request: dict[str, Any] = {
            "Name": "gate",
            "Input": {"KinesisVideoStream": {"Arn": changed.pop("video", NO_VIDEO)}},
            "Output": {"KinesisDataStream": {"Arn": FACES_ARN}},
            "RoleArn": changed.pop("role", "arn:aws:iam::123456789012:role/watch"),
            "Settings": {"FaceSearch": {"CollectionId": "people", "FaceMatchThreshold": 85.0}},
        }
        self.rekognition.create_stream_processor(**request | changed)

    def complete(self) -> str:
        """Everything a processor needs; ARN of the video stream."""
        video: str = self.cloud.video_stream("gate")
        self.face_stream()
        self.rekognition.create_collection(CollectionId="people")
        self.create(video=video, role=self.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS]))
        return video

    def face_stream(self) -> None:
        self.kinesis.create_stream(StreamName="faces-gate", ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName="faces-gate", WaiterConfig={"Delay": 1})

    def described(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.rekognition.describe_stream_processor(Name="gate")
        return answer

    def reach(self, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while (described := self.described())["Status"] != status:
            assert time.monotonic() < deadline, described
            time.sleep(0.02)
        return described

    def run(self) -> None:
        self.rekognition.start_stream_processor(Name="gate")
        self.reach("RUNNING")

    def records(self) -> list[dict[str, Any]]:
        shard = self.kinesis.list_shards(StreamName="faces-gate")["Shards"][0]["ShardId"]
        iterator = self.kinesis.get_shard_iterator(
            StreamName="faces-gate", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = self.kinesis.get_records(ShardIterator=iterator)["Records"]
        return [json.loads(record["Data"]) for record in found]

    def wait_for_records(self, are_enough: Callable[[list[dict[str, Any]]], Any], seconds: float = 40) -> Any:
        deadline = time.monotonic() + seconds
        while not are_enough(records := self.records()):
            assert time.monotonic() < deadline, f"{len(records)} records"
            time.sleep(0.1)
        return records

    def stream(self, video: Path, arn: str) -> Any:
        session = boto3.Session("local", "local", region_name="us-east-1")
        return stream_video(
            video, stream_arn=arn, session=session, endpoint_url=self.cloud.url, real_time=False
        )


@pytest.fixture
def site(cloud: Any) -> Site:
    return Site(cloud)


def names_in(record: dict[str, Any]) -> set[str]:
    return {
        match["Face"]["ExternalImageId"]
        for face in record["FaceSearchResponse"]
        for match in face["MatchedFaces"]
    }


# ---------------------------------------------------------------- real video


@pytest.mark.media
def test_an_enrolled_face_in_the_video_becomes_matches_and_a_stranger_does_not(
    site: Site, media: Path
) -> None:
    video = site.complete()
    site.rekognition.index_faces(
        CollectionId="people",
        Image={"Bytes": (media / "pd/astronaut.png").read_bytes()},
        ExternalImageId="astronaut",
    )
    site.run()

    summary = site.stream(media / "derived/demo_astronaut_hopper.mkv", video)

    last = summary.last_fragment_number
    records = site.wait_for_records(lambda all_: all_ and place(all_[-1])["FragmentNumber"] == last)
    start = summary.start.timestamp()
    seen_at = [
        place(record)["ProducerTimestamp"] + place(record)["FrameOffsetInSeconds"] - start
        for record in records
        if names_in(record) == {"astronaut"}
    ]
    assert {name for record in records for name in names_in(record)} == {"astronaut"}
    assert any(3 <= second <= 8 for second in seen_at)
    assert any(17 <= second <= 23 for second in seen_at)
    assert all(3 <= second <= 8.5 or 17 <= second <= 23 for second in seen_at)
    assert any(face["MatchedFaces"] == [] for record in records for face in record["FaceSearchResponse"])
    assert any(record["FaceSearchResponse"] == [] for record in records)


def place(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["InputInformation"]["KinesisVideo"]
    return found


@pytest.mark.media
def test_records_have_the_documented_shape_and_come_in_the_order_of_the_video(
    site: Site, media: Path
) -> None:
    video = site.complete()
    image = (media / "pd/astronaut.png").read_bytes()
    indexed = site.rekognition.index_faces(CollectionId="people", Image={"Bytes": image}, ExternalImageId="a")
    site.run()

    site.stream(media / "derived/demo_astronaut_hopper.mkv", video)

    records = site.wait_for_records(lambda all_: any(names_in(record) for record in all_))
    matched = next(record for record in records if names_in(record))
    assert list(matched) == ["InputInformation", "StreamProcessorInformation", "FaceSearchResponse"]
    assert matched["StreamProcessorInformation"] == {"Status": "RUNNING"}
    assert set(place(matched)) == {
        "StreamArn", "FragmentNumber", "ServerTimestamp", "ProducerTimestamp", "FrameOffsetInSeconds"
    }  # fmt: skip
    assert place(matched)["StreamArn"] == video
    assert len(place(matched)["FragmentNumber"]) == 47
    face = next(face for face in matched["FaceSearchResponse"] if face["MatchedFaces"])
    assert set(face) == {"DetectedFace", "MatchedFaces"}
    assert set(face["DetectedFace"]) == {"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"}
    assert set(face["DetectedFace"]["BoundingBox"]) == {"Height", "Width", "Left", "Top"}
    assert {mark["Type"] for mark in face["DetectedFace"]["Landmarks"]} == {"eyeLeft", "eyeRight", "nose"}
    match = face["MatchedFaces"][0]
    assert match["Similarity"] >= 85
    known = indexed["FaceRecords"][0]["Face"]
    assert match["Face"] == {name: value for name, value in known.items() if name != "IndexFacesModelVersion"}
    order = [
        (int(place(record)["FragmentNumber"]), place(record)["FrameOffsetInSeconds"]) for record in records
    ]
    assert order == sorted(order)


@pytest.mark.media
def test_a_face_enrolled_while_the_processor_runs_is_found_and_a_deleted_one_is_not(
    site: Site, media: Path
) -> None:
    video = site.complete()
    site.run()
    clip = media / "asl/again.mkv"
    image = (media / "derived/enrol/asl_p1.png").read_bytes()
    indexed = site.rekognition.index_faces(
        CollectionId="people", Image={"Bytes": image}, ExternalImageId="p1"
    )

    first = site.stream(clip, video)
    records = site.wait_for_records(
        lambda all_: all_ and place(all_[-1])["FragmentNumber"] == first.last_fragment_number
    )
    face_id = indexed["FaceRecords"][0]["Face"]["FaceId"]
    site.rekognition.delete_faces(CollectionId="people", FaceIds=[face_id])
    second = site.stream(clip, video)
    later = site.wait_for_records(
        lambda all_: place(all_[-1])["FragmentNumber"] == second.last_fragment_number
    )[len(records) :]

    assert any(names_in(record) == {"p1"} for record in records)
    assert not any(names_in(record) for record in later)


@pytest.mark.media
def test_a_processor_keeps_running_when_its_connection_ends_and_misses_nothing(
    site: Site, media: Path
) -> None:
    video = site.complete()
    site.run()
    stream = site.cloud.store.with_arn(video)
    clip = media / "asl/yes.mkv"
    first = site.stream(clip, video)
    site.wait_for_records(
        lambda all_: all_ and place(all_[-1])["FragmentNumber"] == first.last_fragment_number
    )

    site.cloud.media_server.hang_up_all()
    second = site.stream(clip, video)

    records = site.wait_for_records(
        lambda all_: place(all_[-1])["FragmentNumber"] == second.last_fragment_number
    )
    numbers = {fragment.number for fragment in site.cloud.store.fragments(stream)}
    assert {place(record)["FragmentNumber"] for record in records} == numbers
    assert site.described()["Status"] == "RUNNING"


def test_a_fragment_that_cannot_be_decoded_does_not_stop_the_processor(site: Site) -> None:
    site.complete()
    site.run()

    with Producer(site.cloud.media_server.url, "gate") as producer:
        producer.send(head() + cluster(0))
        producer.wait_for("PERSISTED")
    time.sleep(0.5)

    assert site.described()["Status"] == "RUNNING"


# ---------------------------------------------------------------- states


def test_a_processor_goes_from_stopped_over_running_to_stopped_and_away(site: Site) -> None:
    site.complete()
    assert site.described()["Status"] == "STOPPED"

    site.run()
    assert site.rekognition.list_stream_processors()["StreamProcessors"] == [
        {"Name": "gate", "Status": "RUNNING"}
    ]
    with pytest.raises(ClientError, match="ResourceInUseException"):
        site.rekognition.delete_stream_processor(Name="gate")
    site.rekognition.stop_stream_processor(Name="gate")
    site.reach("STOPPED")
    site.rekognition.delete_stream_processor(Name="gate")

    assert site.rekognition.list_stream_processors()["StreamProcessors"] == []


def test_a_stopped_processor_can_be_started_again(site: Site) -> None:
    site.complete()
    site.run()
    site.rekognition.stop_stream_processor(Name="gate")
    site.reach("STOPPED")

    site.run()

    assert site.described()["Status"] == "RUNNING"


def test_a_stopped_processor_leaves_its_connection_to_others(site: Site) -> None:
    video = site.complete()
    readers = [
        site.cloud.media().get_media(StreamARN=video, StartSelector={"StartSelectorType": "NOW"})
        for _ in range(2)
    ]
    site.run()
    with pytest.raises(ClientError, match="ConnectionLimitExceededException"):
        site.cloud.media().get_media(StreamARN=video, StartSelector={"StartSelectorType": "NOW"})

    site.rekognition.stop_stream_processor(Name="gate")
    site.reach("STOPPED")
    time.sleep(0.7)

    third = site.cloud.media().get_media(StreamARN=video, StartSelector={"StartSelectorType": "NOW"})
    for reader in [*readers, third]:
        reader["Payload"].close()


def test_starting_a_running_processor_is_refused(site: Site) -> None:
    site.complete()
    site.run()

    with pytest.raises(ClientError, match="ResourceInUseException"):
        site.rekognition.start_stream_processor(Name="gate")


def test_stopping_is_allowed_once_a_second_and_only_when_running(site: Site) -> None:
    site.complete()
    with pytest.raises(ClientError, match="Stream Processor not available for stopping"):
        site.rekognition.stop_stream_processor(Name="gate")

    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        site.cloud.client("rekognition", retries=0).stop_stream_processor(Name="gate")


# ---------------------------------------------------------------- what makes it fail after Start succeeded


def failure_of(site: Site) -> str:
    site.rekognition.start_stream_processor(Name="gate")
    return str(site.reach("FAILED")["StatusMessage"])


def test_a_missing_role_is_access_denied_to_role(site: Site) -> None:
    site.create()

    assert failure_of(site) == "Access denied to Role"


def test_a_role_that_does_not_trust_rekognition_is_access_denied_to_role(site: Site) -> None:
    site.create(role=site.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS], service="lambda.amazonaws.com"))

    assert failure_of(site) == "Access denied to Role"


def test_a_role_that_may_not_write_is_access_denied_to_kinesis_data(site: Site) -> None:
    site.face_stream()
    site.create(role=site.cloud.role("watch", [READ_VIDEO]))

    assert failure_of(site) == "Access denied to Kinesis Data"


def test_a_missing_face_stream_is_named_with_its_account(site: Site) -> None:
    site.create(role=site.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS]))

    assert failure_of(site) == "Stream faces-gate under account 123456789012 not found"


def test_a_missing_collection_is_collection_not_found(site: Site) -> None:
    site.face_stream()
    site.create(role=site.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS]))

    assert failure_of(site) == "Collection not found"


def test_a_missing_video_stream_is_named(site: Site) -> None:
    site.face_stream()
    site.rekognition.create_collection(CollectionId="people")
    site.create(role=site.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS]))

    assert failure_of(site) == "Stream gate doesn't exist"


@pytest.mark.parametrize("left", ["kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia"])
def test_a_role_that_may_not_read_is_access_denied_to_kinesis_video(site: Site, left: str) -> None:
    site.face_stream()
    site.rekognition.create_collection(CollectionId="people")
    role = site.cloud.role("watch", [{**READ_VIDEO, "Action": left}, WRITE_RECORDS])
    site.create(video=site.cloud.video_stream("gate"), role=role)

    assert failure_of(site) == "Access denied to Kinesis Video"


def test_a_failed_processor_runs_after_the_cause_is_mended_and_start_is_called_again(site: Site) -> None:
    site.face_stream()
    role = site.cloud.role("watch", [READ_VIDEO, WRITE_RECORDS])
    site.create(video=site.cloud.video_stream("gate"), role=role)
    assert failure_of(site) == "Collection not found"

    site.rekognition.create_collection(CollectionId="people")
    site.run()

    assert "StatusMessage" not in site.described()


def test_deleting_the_video_stream_under_a_running_processor_fails_it(site: Site) -> None:
    video = site.complete()
    site.run()

    site.cloud.client("kinesisvideo").delete_stream(StreamARN=video)

    assert site.reach("FAILED")["StatusMessage"] == "Stream gate doesn't exist"


# ---------------------------------------------------------------- requests that are refused


def test_streams_are_not_shared_between_processors(site: Site) -> None:
    site.create()

    with pytest.raises(ClientError, match="LimitExceededException"):
        site.create(Name="other")


def test_the_same_name_again_is_in_use(site: Site) -> None:
    site.create()

    with pytest.raises(ClientError, match="ResourceInUseException"):
        site.create()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"Settings": {"ConnectedHome": {"Labels": ["PERSON"]}}}, "ConnectedHome"),
        ({"Settings": {"FaceSearch": {}}}, "Settings.FaceSearch.CollectionId"),
        ({"Output": {}}, "Output.KinesisDataStream.Arn"),
        ({"Input": {}}, "Input.KinesisVideoStream.Arn"),
        ({"KmsKeyId": "alias/mine"}, "KmsKeyId"),
        ({"RegionsOfInterest": []}, "RegionsOfInterest"),
        (
            {"NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:123456789012:t"}},
            "NotificationChannel",
        ),
        ({"Name": "with a space"}, "regular expression"),
        ({"role": "no ARN"}, "roleArn"),
    ],
)
def test_what_is_not_face_search_is_refused_by_name(site: Site, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match=says):
        site.create(**changed)

    assert site.rekognition.list_stream_processors()["StreamProcessors"] == []


def test_selectors_of_label_detection_are_refused_at_start(site: Site) -> None:
    site.create()

    with pytest.raises(ClientError, match="InvalidParameterException"):
        site.rekognition.start_stream_processor(Name="gate", StopSelector={"MaxDurationInSeconds": 10})


def test_a_threshold_under_80_is_raised_to_80(site: Site) -> None:
    site.create(Settings={"FaceSearch": {"CollectionId": "people", "FaceMatchThreshold": 50}})

    assert site.described()["Settings"]["FaceSearch"]["FaceMatchThreshold"] == 80
