"""Kinesis Video Streams: a stream's life, and what goes in and comes out of it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sightline_media import FragmentReader
from tests.fakes.matroska import cluster, head
from tests.fakes.producer import Producer

DOCS = "https://docs.aws.amazon.com/kinesisvideostreams/latest/dg"
PUT_MEDIA = f"{DOCS}/API_dataplane_PutMedia.html"
GET_MEDIA = f"{DOCS}/API_dataplane_GetMedia.html"
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]
EARLIEST = {"StartSelectorType": "EARLIEST"}


@pytest.fixture
def video(client: Client) -> Any:
    return client("kinesisvideo")


@pytest.fixture
def stream(video: Any, until: Until, request: pytest.FixtureRequest) -> str:
    """An active stream of this test's own that keeps a day."""
    name = str(request.node.name)[:80]
    video.create_stream(StreamName=name, DataRetentionInHours=24)
    until(lambda: described(video, name)["Status"] == "ACTIVE")
    return name


def described(video: Any, name: str) -> dict[str, Any]:
    return dict(video.describe_stream(StreamName=name)["StreamInfo"])


def code(error: ClientError) -> tuple[str, int]:
    return str(error.response["Error"]["Code"]), error.response["ResponseMetadata"]["HTTPStatusCode"]


def endpoint(video: Any, name: str, api: str) -> str:
    return str(video.get_data_endpoint(StreamName=name, APIName=api)["DataEndpoint"])


def at(video: Any, name: str, service: str, api: str) -> Any:
    """boto3 at the data endpoint of an operation, as its users do it."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint(video, name, api),
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def put(video: Any, name: str, *timecodes: int) -> list[Any]:
    """Put one small fragment for each timecode; every acknowledgement, in order."""
    with Producer(endpoint(video, name, "PUT_MEDIA"), name) as producer:
        producer.send(head())
        for timecode in timecodes:
            producer.send(cluster(timecode))
        producer.end()
        return list(producer.rest())


# ------------------------------------------------------------------------------- a stream's life


@pytest.mark.source(f"{DOCS}/API_CreateStream.html")
def test_a_name_is_taken_once_and_part_of_the_arn_with_the_moment(
    video: Any, stream: str, refusal: Refusal
) -> None:
    arn = described(video, stream)["StreamARN"]
    prefix, moment = arn.rsplit("/", 1)
    assert prefix == f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{stream}"
    assert abs(int(moment) / 1000 - time.time()) < 60
    assert code(refusal(video.create_stream, StreamName=stream)) == ("ResourceInUseException", 400)


@pytest.mark.source(f"{DOCS}/API_DescribeStream.html")
def test_a_stream_that_is_not_there_is_not_found(video: Any, refusal: Refusal) -> None:
    for call in (video.describe_stream, video.list_tags_for_stream):
        assert code(refusal(call, StreamName="nobody")) == ("ResourceNotFoundException", 404)


@pytest.mark.source(f"{DOCS}/API_UpdateDataRetention.html")
def test_a_change_names_the_version_that_it_changes(video: Any, stream: str, refusal: Refusal) -> None:
    change = {"StreamName": stream, "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 2}
    before = described(video, stream)
    error = refusal(video.update_data_retention, **change, CurrentVersion="other")
    assert code(error) == ("VersionMismatchException", 400)
    video.update_data_retention(**change, CurrentVersion=before["Version"])
    after = described(video, stream)
    assert after["DataRetentionInHours"] == 26
    assert after["Version"] != before["Version"]


@pytest.mark.source(f"{DOCS}/API_DeleteStream.html")
def test_a_deleted_stream_is_gone_after_a_while(video: Any, stream: str, until: Until) -> None:
    video.delete_stream(StreamARN=described(video, stream)["StreamARN"])

    def is_gone() -> bool:
        try:
            assert described(video, stream)["Status"] == "DELETING"
        except video.exceptions.ResourceNotFoundException:
            return True
        return False

    until(is_gone)


@pytest.mark.source(f"{DOCS}/API_TagStream.html")
def test_tags_come_and_go(video: Any, stream: str) -> None:
    video.tag_stream(StreamName=stream, Tags={"a": "1", "b": "2"})
    video.untag_stream(StreamName=stream, TagKeyList=["a"])
    assert video.list_tags_for_stream(StreamName=stream)["Tags"] == {"b": "2"}


@pytest.mark.source(f"{DOCS}/API_GetDataEndpoint.html")
def test_each_data_operation_is_asked_for_its_endpoint(video: Any, stream: str, refusal: Refusal) -> None:
    assert endpoint(video, stream, "GET_MEDIA").startswith("http")
    error = refusal(video.get_data_endpoint, StreamName="nobody", APIName="PUT_MEDIA")
    assert code(error) == ("ResourceNotFoundException", 404)


@pytest.mark.source(f"{DOCS}/how-iam.html")
def test_a_role_has_the_streams_of_its_policy(
    video: Any, stream: str, client_with: Callable[..., Client], refusal: Refusal
) -> None:
    arn = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{stream}/*"
    lent = client_with({"Effect": "Allow", "Action": "kinesisvideo:DescribeStream", "Resource": arn})
    assert described(lent("kinesisvideo"), stream)["StreamName"] == stream
    error = refusal(lent("kinesisvideo").describe_stream, StreamName="another")
    assert code(error)[0] == "AccessDeniedException"


# ------------------------------------------------------------------------------- media


@pytest.mark.source(PUT_MEDIA)
def test_a_fragment_is_buffering_then_received_then_persisted(video: Any, stream: str) -> None:
    acks = put(video, stream, 0, 2000)
    for timecode in (0, 2000):
        kinds = [ack.event_type for ack in acks if ack.timecode_ms == timecode]
        assert kinds == ["BUFFERING", "RECEIVED", "PERSISTED"]
    numbers = [ack.number for ack in acks if ack.event_type == "PERSISTED"]
    assert all(len(number) >= 40 and number.isdigit() for number in numbers)
    assert int(numbers[0]) < int(numbers[1])


@pytest.mark.source(PUT_MEDIA)
def test_what_is_no_matroska_is_an_error_with_its_id(video: Any, stream: str) -> None:
    with Producer(endpoint(video, stream, "PUT_MEDIA"), stream) as producer:
        producer.send(b"this is no media at all, and never was" * 10)
        producer.end()
        [error] = [ack for ack in producer.rest() if ack.event_type == "ERROR"]
    assert error.error_id == 4006


@pytest.mark.source(GET_MEDIA)
def test_media_comes_out_fragment_by_fragment_with_its_tags(video: Any, stream: str) -> None:
    numbers = [ack.number for ack in put(video, stream, 0, 2000) if ack.event_type == "PERSISTED"]
    media = at(video, stream, "kinesis-video-media", "GET_MEDIA")
    body = media.get_media(StreamName=stream, StartSelector=EARLIEST)["Payload"]
    reader = FragmentReader()
    found: list[Any] = []
    while len(found) < 2 and (byte := body.read(1)):  # more would wait for what is yet to come
        found += reader.feed(byte)
    body.close()
    assert [fragment.number for fragment in found] == numbers
    names = {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER",
        "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP",
        "AWS_KINESISVIDEO_SERVER_TIMESTAMP",
    }
    assert names <= set(found[0].tags)


@pytest.mark.source(f"{DOCS}/API_reader_ListFragments.html")
def test_fragments_are_listed_in_the_order_in_which_they_came(video: Any, stream: str) -> None:
    put(video, stream, 0, 2000, 4000)
    archive = at(video, stream, "kinesis-video-archived-media", "LIST_FRAGMENTS")
    now = datetime.now(UTC)
    hour = {"StartTimestamp": now - timedelta(hours=1), "EndTimestamp": now + timedelta(hours=1)}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": hour}
    page = archive.list_fragments(StreamName=stream, MaxResults=2, FragmentSelector=selector)
    rest = archive.list_fragments(StreamName=stream, NextToken=page["NextToken"])
    fragments = page["Fragments"] + rest["Fragments"]
    assert len(fragments) == 3
    assert "NextToken" not in rest
    numbers = [int(fragment["FragmentNumber"]) for fragment in fragments]
    assert numbers == sorted(numbers)
    assert {
        "FragmentLengthInMilliseconds",
        "FragmentSizeInBytes",
        "ProducerTimestamp",
        "ServerTimestamp",
    } <= set(fragments[0])


@pytest.mark.source(f"{DOCS}/API_reader_GetMediaForFragmentList.html")
def test_fragments_are_fetched_by_their_numbers(video: Any, stream: str) -> None:
    numbers = [ack.number for ack in put(video, stream, 0, 2000) if ack.event_type == "PERSISTED"]
    archive = at(video, stream, "kinesis-video-archived-media", "GET_MEDIA_FOR_FRAGMENT_LIST")
    given = {"StreamName": stream, "Fragments": numbers}
    body = archive.get_media_for_fragment_list(**given)["Payload"].read()
    reader = FragmentReader()
    assert [fragment.timecode_ms for fragment in (*reader.feed(body), *reader.finish())] == [0, 2000]
