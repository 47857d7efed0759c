"""GetMedia and the archive through boto3's own clients, byte for byte like the real thing."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_media import Fragment, FragmentReader, ebml
from sightline_media.tags import decode_tags
from tests.fakes.matroska import cluster, head
from tests.fakes.producer import Producer

EARLIEST = {"StartSelectorType": "EARLIEST"}
NOW = {"StartSelectorType": "NOW"}


def put(cloud: Any, *timecodes: int, start: float | None = None) -> list[str]:
    """Put one small fragment for each timecode; their numbers."""
    headers: dict[str, str | None] = {"x-amzn-producer-start-timestamp": f"{start:.3f}"} if start else {}
    with Producer(cloud.media_server.url, "gate", headers) as producer:
        producer.send(head())
        for timecode in timecodes:
            producer.send(cluster(timecode))
            producer.wait_for("PERSISTED", len(producer.of("PERSISTED")) + 1)
        producer.end()
        producer.rest()
        return [ack.number or "" for ack in producer.of("PERSISTED")]


def live(body: Any) -> Iterator[Fragment]:
    """Fragments of a GetMedia answer, each as soon as it is there."""
    reader = FragmentReader()
    while piece := body._raw_stream.read1(65_536):
        yield from reader.feed(piece)


def first(cloud: Any, count: int, selector: dict[str, Any]) -> list[str | None]:
    body = cloud.media().get_media(StreamName="gate", StartSelector=selector)["Payload"]
    fragments = live(body)
    numbers = [next(fragments).number for _ in range(count)]
    body.close()
    return numbers


# ---------------------------------------------------------------- the bytes


def level_1(data: bytes) -> list[tuple[int, bytes]]:
    """The elements between one EBML header and the next, with their payloads (none for a cluster's)."""
    found, position = [], 0
    while position < len(data):
        header = ebml.element_header(data, position, len(data))
        assert header is not None
        element_id, size, start = header
        end = start if element_id == ebml.SEGMENT else start + size
        found.append((element_id, data[start:end]))
        position = end
    return found


def outline(data: bytes) -> list[Any]:
    """Elements by id, tags by their names: what a parser library sees of one fragment."""
    interesting = (ebml.EBML_HEADER, ebml.SEGMENT, ebml.INFO, ebml.TRACKS, ebml.CLUSTER, ebml.TAGS)
    return [
        [name for name in decode_tags(payload) if name.startswith("AWS")] if element == ebml.TAGS else element
        for element, payload in level_1(data)
        if element in interesting
    ]


@pytest.mark.media
def test_a_fragment_has_the_elements_and_tags_of_a_real_get_media_answer(cloud: Any, media: Path) -> None:
    real = (media / "kvs/output_get_media.mkv").read_bytes()
    one_real = real[: real.index(b"\x1a\x45\xdf\xa3", 4)]
    cloud.video_stream("gate")
    with Producer(cloud.media_server.url, "gate") as producer:
        # What the camera had sent: the real answer without the tags of the service.
        for fragment in FragmentReader().feed(real)[:1]:
            producer.send(fragment.header + fragment.cluster)
        producer.wait_for("PERSISTED")

    body = cloud.media().get_media(StreamName="gate", StartSelector=EARLIEST)["Payload"]
    ours = b""
    while b"CONTINUATION_TOKEN" not in ours:
        ours += body._raw_stream.read1(1_000_000)
    body.close()

    assert outline(ours) == outline(one_real)
    cluster_end = one_real.rindex(b"\x12\x54\xc3\x67")
    assert ours.index(b"\x12\x54\xc3\x67", 2000) == cluster_end
    assert ours[1159:cluster_end] == one_real[1159:cluster_end]


def test_tags_carry_number_times_delay_and_token(cloud: Any) -> None:
    cloud.video_stream("gate")
    before = time.time()
    number = put(cloud, 2000, start=1_700_000_000.5)[0]

    answer = cloud.media().get_media(StreamName="gate", StartSelector=EARLIEST)
    fragment = next(live(answer["Payload"]))
    answer["Payload"].close()

    tags = fragment.tags
    assert answer["ContentType"] == "video/webm"
    assert fragment.number == tags["AWS_KINESISVIDEO_CONTINUATION_TOKEN"] == number
    assert tags["AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"] == "1700000002.500"
    assert before <= (fragment.server_timestamp or 0) <= time.time()
    assert 0 <= int(tags["AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"]) < 10_000


# ---------------------------------------------------------------- where it starts


def test_earliest_starts_with_the_oldest_fragment(cloud: Any) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000)

    assert first(cloud, 3, EARLIEST) == numbers


@pytest.mark.parametrize(
    ("kind", "member"),
    [("FRAGMENT_NUMBER", "AfterFragmentNumber"), ("CONTINUATION_TOKEN", "ContinuationToken")],
)
def test_a_number_starts_with_the_fragment_after_it(cloud: Any, kind: str, member: str) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000)

    assert first(cloud, 2, {"StartSelectorType": kind, member: numbers[0]}) == numbers[1:]


def test_a_producer_timestamp_starts_with_the_first_fragment_at_or_after_it(cloud: Any) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000, start=1_700_000_000)
    at = datetime.fromtimestamp(1_700_000_001, UTC)

    assert first(cloud, 1, {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": at}) == numbers[1:2]


def test_a_server_timestamp_starts_with_the_first_fragment_that_came_at_or_after_it(cloud: Any) -> None:
    cloud.video_stream("gate")
    put(cloud, 0)
    time.sleep(0.05)
    at = datetime.now(UTC)
    later = put(cloud, 0)

    assert first(cloud, 1, {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": at}) == later


def test_now_leaves_out_what_is_already_there_and_follows_what_comes(cloud: Any) -> None:
    cloud.video_stream("gate")
    put(cloud, 0)
    body = cloud.media().get_media(StreamName="gate", StartSelector=NOW)["Payload"]
    fragments = live(body)

    for timecode in (0, 2000):
        assert put(cloud, timecode) == [next(fragments).number]
    body.close()


def test_a_live_reader_has_the_fragment_at_once(cloud: Any) -> None:
    cloud.video_stream("gate")
    body = cloud.media().get_media(StreamName="gate", StartSelector=NOW)["Payload"]
    arrived: list[float] = []

    def read_one() -> None:
        next(live(body))
        arrived.append(time.monotonic())

    reader = threading.Thread(target=read_one)
    reader.start()

    put(cloud, 0)
    put_at = time.monotonic()
    reader.join(5)

    assert arrived[0] - put_at < 0.2


@pytest.mark.parametrize(
    "selector",
    [
        {"StartSelectorType": "FRAGMENT_NUMBER"},
        {"StartSelectorType": "SERVER_TIMESTAMP"},
        {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "abc"},
        {"StartSelectorType": "YESTERDAY"},
    ],
)
def test_an_incomplete_selector_is_an_invalid_argument(cloud: Any, selector: dict[str, Any]) -> None:
    cloud.video_stream("gate")

    with pytest.raises(ClientError, match="InvalidArgumentException"):
        cloud.media().get_media(StreamName="gate", StartSelector=selector)


# ---------------------------------------------------------------- limits and permissions


def test_a_stream_has_three_readers_and_a_place_is_free_when_one_hangs_up(cloud: Any) -> None:
    cloud.video_stream("gate")
    bodies = [cloud.media().get_media(StreamName="gate", StartSelector=NOW)["Payload"] for _ in range(3)]
    with pytest.raises(ClientError, match="ConnectionLimitExceededException"):
        cloud.media().get_media(StreamName="gate", StartSelector=NOW)

    bodies.pop().close()
    time.sleep(0.8)

    bodies.append(cloud.media().get_media(StreamName="gate", StartSelector=NOW)["Payload"])
    for body in bodies:
        body.close()


def test_an_unknown_stream_is_not_found(cloud: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException") as refused:
        cloud.media().get_media(StreamName="nowhere", StartSelector=NOW)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize("action", ["GetMedia", "ListFragments", "GetMediaForFragmentList"])
def test_each_operation_needs_its_own_permission(cloud: Any, action: str) -> None:
    cloud.video_stream("gate")
    others = {"GetMedia", "ListFragments", "GetMediaForFragmentList"} - {action}
    allowed = [f"kinesisvideo:{other}" for other in others]
    role = cloud.role("some", [{"Effect": "Allow", "Action": allowed, "Resource": "*"}])
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    calls = {
        "GetMedia": lambda: cloud.media(lent).get_media(StreamName="gate", StartSelector=NOW),
        "ListFragments": lambda: cloud.archive(lent).list_fragments(
            StreamName="gate", FragmentSelector=a_range()
        ),
        "GetMediaForFragmentList": lambda: cloud.archive(lent).get_media_for_fragment_list(
            StreamName="gate", Fragments=["1"]
        ),
    }

    with pytest.raises(ClientError, match=f"not authorized to perform: kinesisvideo:{action} "):
        calls[action]()
    calls[others.pop()]()


# ---------------------------------------------------------------- the archive


def a_range(kind: str = "SERVER_TIMESTAMP") -> dict[str, Any]:
    day = timedelta(days=1)
    now = datetime.now(UTC)
    return {
        "FragmentSelectorType": kind,
        "TimestampRange": {"StartTimestamp": now - day, "EndTimestamp": now + day},
    }


def test_fragments_are_listed_page_by_page(cloud: Any) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000, 6000, 8000)
    paginator = cloud.archive().get_paginator("list_fragments")

    pages = list(
        paginator.paginate(StreamName="gate", FragmentSelector=a_range(), PaginationConfig={"PageSize": 2})
    )

    assert [len(page["Fragments"]) for page in pages] == [2, 2, 1]
    fragments = [fragment for page in pages for fragment in page["Fragments"]]
    assert [fragment["FragmentNumber"] for fragment in fragments] == numbers
    assert fragments[0]["FragmentLengthInMilliseconds"] == 1500
    assert fragments[1]["ProducerTimestamp"] - fragments[0]["ProducerTimestamp"] == timedelta(seconds=2)


def test_a_token_alone_continues_the_listing(cloud: Any) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000)
    archive = cloud.archive()
    listed = archive.list_fragments(StreamName="gate", FragmentSelector=a_range(), MaxResults=2)

    rest = archive.list_fragments(StreamName="gate", NextToken=listed["NextToken"])

    assert [fragment["FragmentNumber"] for fragment in rest["Fragments"]] == numbers[2:]
    for bad in ({}, {"NextToken": "bm9uc2Vuc2U="}):
        with pytest.raises(ClientError, match="InvalidArgumentException"):
            archive.list_fragments(StreamName="gate", **bad)


def test_fragments_outside_the_range_are_not_listed(cloud: Any) -> None:
    cloud.video_stream("gate")
    put(cloud, 0, start=1_700_000_000)

    listed = cloud.archive().list_fragments(StreamName="gate", FragmentSelector=a_range("PRODUCER_TIMESTAMP"))

    assert listed["Fragments"] == []


def test_chosen_fragments_come_with_the_tag_names_of_the_archive(cloud: Any) -> None:
    cloud.video_stream("gate")
    numbers = put(cloud, 0, 2000, 4000)

    answer = cloud.archive().get_media_for_fragment_list(
        StreamName="gate", Fragments=[numbers[2], numbers[0]]
    )

    reader = FragmentReader()
    fragments = reader.feed(answer["Payload"].read()) + reader.finish()
    assert [fragment.number for fragment in fragments] == [numbers[2], numbers[0]]
    assert set(fragments[0].tags) == {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER",
        "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP",
        "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP",
    }


def test_a_fragment_that_is_not_there_is_reported_in_tags(cloud: Any) -> None:
    cloud.video_stream("gate")
    number = put(cloud, 0)[0]
    missing = str(int(number) + 1)

    payload = cloud.archive().get_media_for_fragment_list(StreamName="gate", Fragments=[number, missing])[
        "Payload"
    ]

    data = payload.read()
    tags = next(payload for element, payload in reversed(level_1(data)) if element == ebml.TAGS)
    assert decode_tags(tags) == {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": missing,
        "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE": "4000",
        "AWS_KINESISVIDEO_EXCEPTION_MESSAGE": "Requested fragment is not found",
    }


def test_a_stream_without_retention_has_a_live_view_but_no_archive(cloud: Any) -> None:
    cloud.video_stream("gate", retention_hours=0)
    with Producer(cloud.media_server.url, "gate") as producer:
        producer.send(head() + cluster(0))
        producer.wait_for("RECEIVED")

    assert len(first(cloud, 1, EARLIEST)) == 1
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        cloud.archive().list_fragments(StreamName="gate", FragmentSelector=a_range())


@pytest.mark.media
def test_get_media_follows_a_real_upload_while_it_runs(cloud: Any, media: Path) -> None:
    cloud.video_stream("gate")
    data = (media / "kvs/clusters.mkv").read_bytes()
    body = cloud.media().get_media(StreamName="gate", StartSelector=NOW)["Payload"]
    fragments = live(body)
    seen: list[str | None] = []

    with Producer(cloud.media_server.url, "gate") as producer:
        for at in range(0, len(data), 40_000):
            producer.send(data[at : at + 40_000])
            if at == 400_000:  # three clusters are through, the upload is not half done
                seen += [next(fragments).number for _ in range(2)]
        producer.end()
        producer.rest()
    seen += [next(fragments).number for _ in range(6)]
    body.close()

    assert seen == [ack.number for ack in producer.of("PERSISTED")]
