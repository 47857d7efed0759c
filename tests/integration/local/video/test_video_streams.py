"""The control plane of Kinesis Video Streams through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def video(cloud: Any) -> Any:
    return cloud.client("kinesisvideo")


def test_a_stream_is_creating_then_active_and_its_arn_ends_with_its_birth(cloud: Any, video: Any) -> None:
    arn = video.create_stream(StreamName="gate", MediaType="video/h264", DataRetentionInHours=24)["StreamARN"]
    young = video.describe_stream(StreamName="gate")["StreamInfo"]

    cloud.wait(lambda: video.describe_stream(StreamARN=arn)["StreamInfo"]["Status"] == "ACTIVE")

    assert young["Status"] == "CREATING"
    assert young["StreamARN"] == arn
    born_ms = int(young["CreationTime"].timestamp() * 1000)
    assert arn == f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate/{born_ms}"
    assert young["MediaType"] == "video/h264"
    assert young["DataRetentionInHours"] == 24


def test_a_name_is_taken_until_the_stream_is_gone(cloud: Any, video: Any) -> None:
    arn = cloud.video_stream("gate")
    with pytest.raises(ClientError, match="ResourceInUseException"):
        video.create_stream(StreamName="gate")

    video.delete_stream(StreamARN=arn)
    assert video.describe_stream(StreamName="gate")["StreamInfo"]["Status"] == "DELETING"
    with pytest.raises(ClientError, match="ResourceInUseException"):
        video.create_stream(StreamName="gate")
    cloud.wait(lambda: not video.list_streams()["StreamInfoList"])

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        video.describe_stream(StreamName="gate")
    assert cloud.video_stream("gate") != arn


def test_a_stream_that_is_not_active_is_not_deleted(video: Any) -> None:
    arn = video.create_stream(StreamName="gate")["StreamARN"]

    with pytest.raises(ClientError, match="ResourceInUseException"):
        video.delete_stream(StreamARN=arn)


def test_the_version_guards_deletion_and_changes(cloud: Any, video: Any) -> None:
    arn = cloud.video_stream("gate")
    version = video.describe_stream(StreamName="gate")["StreamInfo"]["Version"]
    video.update_data_retention(
        StreamName="gate",
        CurrentVersion=version,
        Operation="INCREASE_DATA_RETENTION",
        DataRetentionChangeInHours=6,
    )

    with pytest.raises(ClientError, match="VersionMismatchException"):
        video.delete_stream(StreamARN=arn, CurrentVersion=version)

    video.delete_stream(
        StreamARN=arn, CurrentVersion=video.describe_stream(StreamName="gate")["StreamInfo"]["Version"]
    )


@pytest.mark.parametrize(
    ("operation", "change", "hours"), [("INCREASE_DATA_RETENTION", 6, 30), ("DECREASE_DATA_RETENTION", 23, 1)]
)
def test_retention_changes_by_a_difference(
    cloud: Any, video: Any, operation: str, change: int, hours: int
) -> None:
    cloud.video_stream("gate", retention_hours=24)
    version = video.describe_stream(StreamName="gate")["StreamInfo"]["Version"]

    video.update_data_retention(
        StreamName="gate", CurrentVersion=version, Operation=operation, DataRetentionChangeInHours=change
    )

    assert video.describe_stream(StreamName="gate")["StreamInfo"]["DataRetentionInHours"] == hours


def test_retention_stays_between_nothing_and_ten_years(cloud: Any, video: Any) -> None:
    cloud.video_stream("gate", retention_hours=24)
    version = video.describe_stream(StreamName="gate")["StreamInfo"]["Version"]

    for operation, change in (("DECREASE_DATA_RETENTION", 25), ("INCREASE_DATA_RETENTION", 87_600)):
        with pytest.raises(ClientError, match="InvalidArgumentException"):
            video.update_data_retention(
                StreamName="gate",
                CurrentVersion=version,
                Operation=operation,
                DataRetentionChangeInHours=change,
            )


def test_streams_are_listed_by_prefix_and_page_by_page(video: Any) -> None:
    for name in ("gate-1", "gate-2", "gate-3", "door-1"):
        video.create_stream(StreamName=name)
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "gate-"}

    pages = list(
        video.get_paginator("list_streams").paginate(
            StreamNameCondition=condition, PaginationConfig={"PageSize": 2}
        )
    )

    names = [[stream["StreamName"] for stream in page["StreamInfoList"]] for page in pages]
    assert names == [["gate-1", "gate-2"], ["gate-3"]]


def test_tags_come_and_go(video: Any) -> None:
    arn = video.create_stream(StreamName="gate", Tags={"site": "north"})["StreamARN"]
    video.tag_stream(StreamARN=arn, Tags={"device": "gate", "old": "1"})
    video.untag_stream(StreamName="gate", TagKeyList=["old"])

    assert video.list_tags_for_stream(StreamARN=arn)["Tags"] == {"site": "north", "device": "gate"}


def test_more_than_50_tags_are_refused(video: Any) -> None:
    video.create_stream(StreamName="gate", Tags={f"a{n}": "x" for n in range(50)})

    with pytest.raises(ClientError, match="TagsPerResourceExceededLimitException"):
        video.tag_stream(StreamName="gate", Tags={"one": "more"})


@pytest.mark.parametrize("api", ["PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST"])
def test_the_data_endpoint_is_the_media_server(cloud: Any, video: Any, api: str) -> None:
    video.create_stream(StreamName="gate")

    endpoint = video.get_data_endpoint(StreamName="gate", APIName=api)["DataEndpoint"]

    assert endpoint == cloud.media_server.url


@pytest.mark.parametrize("api", ["GET_HLS_STREAMING_SESSION_URL", "GET_DASH_STREAMING_SESSION_URL"])
def test_what_the_media_server_lacks_is_refused_by_name(video: Any, api: str) -> None:
    video.create_stream(StreamName="gate")

    with pytest.raises(ClientError, match=f"not {api}"):
        video.get_data_endpoint(StreamName="gate", APIName=api)


@pytest.mark.parametrize(
    "request_",
    [
        {"StreamName": "with a space"},
        {"StreamName": "a" * 257},
        {"StreamName": "gate", "DataRetentionInHours": 87_601},
        {"StreamName": "gate", "KmsKeyId": "alias/mine"},
        {"StreamName": "gate", "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"}},
    ],
)
def test_bad_or_unknown_settings_are_an_invalid_argument_and_make_no_stream(
    video: Any, request_: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        video.create_stream(**request_)

    assert video.list_streams()["StreamInfoList"] == []


def test_a_stream_must_be_named_one_way_at_least(video: Any) -> None:
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        video.describe_stream()


def test_operations_that_are_not_emulated_are_refused_by_name(video: Any) -> None:
    with pytest.raises(ClientError, match="ListSignalingChannels"):
        video.list_signaling_channels()


def test_a_role_reaches_its_own_stream_only(cloud: Any) -> None:
    cloud.video_stream("gate")
    cloud.video_stream("door")
    own = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate/*"
    role = cloud.role("own", [{"Effect": "Allow", "Action": "kinesisvideo:DescribeStream", "Resource": own}])
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    video = cloud.client("kinesisvideo", lent)

    assert video.describe_stream(StreamName="gate")["StreamInfo"]["StreamName"] == "gate"
    with pytest.raises(ClientError, match="not authorized to perform: kinesisvideo:DescribeStream"):
        video.describe_stream(StreamName="door")
