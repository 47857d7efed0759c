"""PutMedia over a real connection: acknowledgements, error ids, limits, permissions."""

import errno
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.kinesisvideo import FragmentStore, KinesisVideoService, MediaServer
from sightline_local.cloud.kinesisvideo.shelf import Shelf
from sightline_media import ErrorId
from tests.fakes.matroska import cluster, head, metadata
from tests.fakes.producer import Producer

READ_ONE = {"Effect": "Allow", "Action": "kinesisvideo:GetMedia", "Resource": "*"}


def put(cloud: Any, *pieces: bytes, headers: dict[str, str | None] | None = None) -> Producer:
    """Send pieces to the stream "gate" as one request and read every answer."""
    producer = Producer(cloud.media_server.url, "gate", headers)
    for piece in pieces:
        producer.send(piece)
    producer.end()
    producer.rest()
    producer.close()
    return producer


def error_of(producer: Producer) -> int | None:
    last = producer.acks[-1]
    assert last.event_type == "ERROR"
    return last.error_id


def test_each_fragment_is_acknowledged_as_buffering_received_and_persisted(cloud: Any) -> None:
    cloud.video_stream("gate")

    producer = put(cloud, head(), cluster(0), cluster(2000))

    seen = [(ack.event_type, ack.timecode_ms) for ack in producer.acks]
    steps = ("BUFFERING", "RECEIVED", "PERSISTED")
    assert seen == [(step, timecode) for timecode in (0, 2000) for step in steps]
    numbers = [ack.number or "" for ack in producer.of("PERSISTED")]
    assert [len(number) for number in numbers] == [47, 47]
    assert int(numbers[0]) < int(numbers[1])


def test_buffering_is_acknowledged_while_the_fragment_is_still_arriving(cloud: Any) -> None:
    cloud.video_stream("gate")
    whole = cluster(0, frame=b"x" * 5000)

    with Producer(cloud.media_server.url, "gate") as producer:
        producer.send(head() + whole[:200])
        begun = producer.wait_for("BUFFERING")
        assert not producer.of("RECEIVED")
        producer.send(whole[200:])
        received = producer.wait_for("RECEIVED")

    assert begun[0].number == received[0].number


def test_a_stream_without_retention_never_says_persisted(cloud: Any) -> None:
    cloud.video_stream("gate", retention_hours=0)

    producer = put(cloud, head(), cluster(0))

    assert [ack.event_type for ack in producer.acks] == ["BUFFERING", "RECEIVED"]


@pytest.mark.media
def test_real_clusters_of_a_producer_are_all_persisted(cloud: Any, media: Path) -> None:
    cloud.video_stream("gate")
    data = (media / "kvs/clusters.mkv").read_bytes()

    producer = put(cloud, *(data[at : at + 30_000] for at in range(0, len(data), 30_000)))

    assert [ack.timecode_ms for ack in producer.of("PERSISTED")] == [
        0, 1999, 3999, 5998, 7998, 9998, 11997, 13997
    ]  # fmt: skip


def test_relative_timecodes_count_from_the_start_of_the_producer(cloud: Any) -> None:
    arn = cloud.video_stream("gate")

    put(cloud, head(), cluster(2000), headers={"x-amzn-producer-start-timestamp": "1700000000.250"})

    assert cloud.store.fragments(cloud.store.with_arn(arn))[0].producer_time == 1700000002.25


def test_absolute_timecodes_need_no_start(cloud: Any) -> None:
    arn = cloud.video_stream("gate")
    headers: dict[str, str | None] = {
        "x-amzn-fragment-timecode-type": "ABSOLUTE",
        "x-amzn-producer-start-timestamp": None,
    }

    put(cloud, head(), cluster(1_700_000_000_123), headers=headers)

    assert cloud.store.fragments(cloud.store.with_arn(arn))[0].producer_time == 1700000000.123


# ---------------------------------------------------------------- error ids

MANY_TAGS = {f"name{n}": "value" for n in range(11)}
BAD_MEDIA = {
    ErrorId.INVALID_MKV_DATA: [b"RIFF this is not Matroska at all"],
    ErrorId.MAX_FRAGMENT_DURATION_REACHED: [head(), cluster(0, offsets_ms=(0, 10_000, 20_500))],
    ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS: [head(), cluster(5000), cluster(0)],
    ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND: [head(tracks=4), cluster(0, tracks=(1, 2, 3, 4))],
    ErrorId.TRACK_NUMBER_MISMATCH: [head(), cluster(0, tracks=(1, 2))],
    ErrorId.FRAMES_MISSING_FOR_TRACK: [head(tracks=2), cluster(0, tracks=(1,))],
    ErrorId.FRAGMENT_METADATA_LIMIT_REACHED: [head(), cluster(0), metadata(MANY_TAGS), cluster(2000)],
    ErrorId.INVALID_FRAGMENT_METADATA: [head(), cluster(0), metadata({"AWS_MINE": "1"}), cluster(2000)],
}


@pytest.mark.parametrize("error_id", BAD_MEDIA, ids=lambda error_id: error_id.name)
def test_media_against_the_rules_ends_with_its_documented_error(cloud: Any, error_id: ErrorId) -> None:
    cloud.video_stream("gate")

    producer = put(cloud, *BAD_MEDIA[error_id])

    assert error_of(producer) == error_id


def test_a_fragment_over_50_megabytes_is_refused_before_it_is_complete(cloud: Any) -> None:
    cloud.video_stream("gate")
    big = cluster(0, offsets_ms=(0, 300, 600), frame=bytes(17_000_000))

    with Producer(cloud.media_server.url, "gate") as producer:
        producer.send(head() + big[:100_000])

        assert error_of_rest(producer) == ErrorId.MAX_FRAGMENT_SIZE_REACHED


def error_of_rest(producer: Producer) -> int | None:
    producer.rest()
    return error_of(producer)


def test_a_producer_time_that_no_clock_shows_is_refused(cloud: Any) -> None:
    cloud.video_stream("gate")

    producer = put(cloud, head(), cluster(0), headers={"x-amzn-producer-start-timestamp": "1700000000000"})

    assert error_of(producer) == ErrorId.INVALID_PRODUCER_TIMESTAMP


def test_a_truncated_file_keeps_what_is_whole_and_reports_the_rest(cloud: Any) -> None:
    arn = cloud.video_stream("gate")

    producer = put(cloud, head(), cluster(0), cluster(2000)[:-10])

    assert error_of(producer) == ErrorId.INVALID_MKV_DATA
    assert len(cloud.store.fragments(cloud.store.with_arn(arn))) == 1


def test_a_stream_that_is_not_active_yet_refuses_media(cloud: Any) -> None:
    cloud.client("kinesisvideo").create_stream(StreamName="gate")

    assert error_of(put(cloud, head(), cluster(0))) == ErrorId.STREAM_NOT_ACTIVE


def test_deleting_the_stream_ends_the_producer(cloud: Any) -> None:
    arn = cloud.video_stream("gate")
    with Producer(cloud.media_server.url, "gate") as producer:
        producer.send(head() + cluster(0))
        producer.wait_for("PERSISTED")

        cloud.client("kinesisvideo").delete_stream(StreamARN=arn)
        producer.send(cluster(2000))

        assert error_of_rest(producer) == ErrorId.STREAM_NOT_ACTIVE


@pytest.fixture
def hasty_server(cloud: Any) -> Iterator[MediaServer]:
    """A media server whose connections live and idle for a moment only."""
    service = KinesisVideoService("us-east-1", "123456789012", lambda: "", cloud.store)
    server = MediaServer(
        cloud.store, service, cloud.sessions, cloud.authorizer, connection_seconds=0.4, idle_seconds=0.3
    )
    server.begin()
    yield server
    server.close()


def test_a_connection_ends_when_its_time_is_over(cloud: Any, hasty_server: MediaServer) -> None:
    cloud.video_stream("gate")
    with Producer(hasty_server.url, "gate") as producer:
        producer.send(head())
        for timecode in range(0, 20_000, 2000):
            producer.send(cluster(timecode))
            time.sleep(0.06)

        assert error_of_rest(producer) == ErrorId.MAX_CONNECTION_DURATION_REACHED


def test_a_silent_producer_is_told_idle_and_then_sent_away(cloud: Any, hasty_server: MediaServer) -> None:
    cloud.video_stream("gate")
    with Producer(hasty_server.url, "gate") as producer:
        producer.send(head())

        kinds = {ack.event_type for ack in producer.rest()}

    assert kinds == {"IDLE"}


# ---------------------------------------------------------------- refusals before the first acknowledgement


def refusal(producer: Producer) -> tuple[int, str, str]:
    body = json.loads(producer.body())
    producer.close()
    return producer.status, producer.headers["x-amzn-errortype"], body["Message"]


def test_a_second_producer_of_a_stream_is_refused_and_the_first_goes_on(cloud: Any) -> None:
    cloud.video_stream("gate")
    cloud.video_stream("door")
    with Producer(cloud.media_server.url, "gate") as first, Producer(cloud.media_server.url, "door") as other:
        first.send(head() + cluster(0))
        first.wait_for("PERSISTED")

        with Producer(cloud.media_server.url, "gate") as second:
            status, code, _ = refusal(second)

        first.send(cluster(2000))
        other.send(head() + cluster(0))
        assert (status, code) == (400, "ConnectionLimitExceededException")
        assert len(first.wait_for("PERSISTED", 2)) == 2
        assert other.wait_for("PERSISTED")


def test_a_stream_takes_the_next_producer_once_the_first_has_gone(cloud: Any) -> None:
    cloud.video_stream("gate")
    put(cloud, head(), cluster(0))

    assert put(cloud, head(), cluster(0)).of("PERSISTED")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amzn-fragment-timecode-type": None},
        {"x-amzn-fragment-timecode-type": "SOMETIMES"},
        {"x-amzn-producer-start-timestamp": None},
        {"x-amzn-producer-start-timestamp": "yesterday"},
        {"x-amzn-stream-name": None},
        {"x-amzn-stream-arn": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate/1"},
    ],
    ids=["no type", "bad type", "no start", "bad start", "no stream", "name and ARN"],
)
def test_bad_headers_are_an_invalid_argument(cloud: Any, headers: dict[str, str | None]) -> None:
    cloud.video_stream("gate")

    status, code, _ = refusal(Producer(cloud.media_server.url, "gate", headers))

    assert (status, code) == (400, "InvalidArgumentException")


def test_an_unknown_stream_is_not_found(cloud: Any) -> None:
    assert refusal(Producer(cloud.media_server.url, "nowhere"))[:2] == (404, "ResourceNotFoundException")


def test_an_unknown_key_is_refused(cloud: Any) -> None:
    cloud.video_stream("gate")

    refused = refusal(Producer(cloud.media_server.url, "gate", key="AKIANOBODY"))

    assert refused[:2] == (403, "UnrecognizedClientException")


def test_a_role_that_may_only_read_is_denied_by_name(cloud: Any) -> None:
    arn = cloud.video_stream("gate")
    role = cloud.role("reader", [READ_ONE])
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    token: dict[str, str | None] = {"x-amz-security-token": lent.session_token}

    status, code, message = refusal(Producer(cloud.media_server.url, "gate", token, key=lent.access_key))

    assert (status, code) == (403, "AccessDeniedException")
    assert "kinesisvideo:PutMedia" in message
    assert arn in message
    assert "assumed-role/reader" in message


def test_two_producers_fill_their_own_streams_at_once(cloud: Any) -> None:
    arns = [cloud.video_stream(name) for name in ("gate", "door")]
    producers = [Producer(cloud.media_server.url, name) for name in ("gate", "door")]
    for producer in producers:
        producer.send(head())
    for timecode in range(0, 40_000, 2000):
        for producer in producers:
            producer.send(cluster(timecode))

    counts = [len(producer.wait_for("PERSISTED", 20)) for producer in producers]

    assert counts == [20, 20]
    assert [len(cloud.store.fragments(cloud.store.with_arn(arn))) for arn in arns] == [20, 20]
    for producer in producers:
        producer.close()


def test_closing_the_server_ends_its_connections(cloud: Any) -> None:
    cloud.video_stream("gate")
    with Producer(cloud.media_server.url, "gate") as producer:
        producer.send(head() + cluster(0))
        producer.wait_for("PERSISTED")

        cloud.media_server.close()

        with pytest.raises((OSError, ValueError, AssertionError)):
            producer.wait_for("NEVER")


def test_fragments_are_kept_by_the_store_after_the_server(cloud: Any) -> None:
    arn = cloud.video_stream("gate")
    put(cloud, head(), cluster(0))

    store: FragmentStore = cloud.store
    stream = store.with_arn(arn)

    assert stream is not None
    fragment = store.fragments(stream)[0]
    assert fragment.header + (store.media(stream, fragment) or b"") == head() + cluster(0)


def test_a_full_disk_is_an_archival_error_and_nothing_of_the_fragment_stays(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = cloud.video_stream("gate")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "put", full)
        refused = put(cloud, head(), cluster(0))
    accepted = put(cloud, head(), cluster(0))

    assert error_of(refused) == ErrorId.ARCHIVAL_ERROR
    assert [ack.event_type for ack in accepted.acks] == ["BUFFERING", "RECEIVED", "PERSISTED"]
    assert len(cloud.store.fragments(cloud.store.with_arn(stream))) == 1
