"""What stands around the stream of fragments: signature, endpoint, refusals, file."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from sightline_camera.endpoint import put_media_url, region_of
from sightline_camera.errors import CameraError, LostConnectionError
from sightline_camera.put_media import refusal
from sightline_camera.refusals import check_ack
from sightline_camera.signing import put_media_headers
from sightline_camera.source import file_fragments
from sightline_media import Ack, Fragment
from tests.unit.camera.films import film

ARN = "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/sightline-gate/1767225600000"
START = datetime(2026, 1, 1, 0, 0, 0, 5000, tzinfo=UTC)


def headers(url: str = "https://s-1.kinesisvideo.eu-central-1.amazonaws.com/putMedia") -> dict[str, str]:
    credentials = ReadOnlyCredentials("AKIDEXAMPLE", "secret", "the-token")
    made = put_media_headers(url, credentials=credentials, region="eu-central-1", stream_arn=ARN, start=START)
    return {name.lower(): value for name, value in made.items()}


def test_the_headers_are_those_that_put_media_asks_for() -> None:
    made = headers()

    assert made["x-amzn-stream-arn"] == ARN
    assert "x-amzn-stream-name" not in made
    assert made["x-amzn-fragment-timecode-type"] == "RELATIVE"
    assert made["x-amzn-producer-start-timestamp"] == "1767225600.005"
    assert made["x-amzn-fragment-acknowledgment-required"] == "1"
    assert made["transfer-encoding"] == "chunked"
    assert made["x-amz-security-token"] == "the-token"


def test_the_signature_is_of_kinesisvideo_and_covers_what_matters() -> None:
    authorization = headers()["authorization"]

    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/kinesisvideo/aws4_request" in authorization
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amzn-stream-arn"} <= set(signed)
    assert not {"transfer-encoding", "connection", "user-agent"} & set(signed)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (
            "https://s-1.kinesisvideo.eu-central-1.amazonaws.com/putMedia",
            "s-1.kinesisvideo.eu-central-1.amazonaws.com",
        ),
        ("http://127.0.0.1:4567/putMedia", "127.0.0.1:4567"),
        ("https://localhost:443/putMedia", "localhost"),
    ],
)
def test_the_host_is_written_as_it_is_signed(url: str, host: str) -> None:
    assert headers(url)["host"] == host


class FakeSession:
    """A boto3 session whose GetDataEndpoint answers as told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> "FakeSession":
        self.asked |= {"service": service, **options}
        return self

    def get_data_endpoint(self, **parameters: Any) -> dict[str, str]:
        self.asked |= parameters
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"DataEndpoint": self.answer}


def client_error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetDataEndpoint")


def url_of(session: FakeSession) -> str:
    return put_media_url(session, ARN, "http://127.0.0.1:4566")  # type: ignore[arg-type]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4567", "https://s-1.kinesisvideo.aws/"])
def test_the_endpoint_is_asked_of_the_region_in_the_arn(endpoint: str) -> None:
    session = FakeSession(endpoint)

    url = url_of(session)

    assert url == endpoint.rstrip("/") + "/putMedia"
    assert session.asked["region_name"] == "eu-central-1"
    assert session.asked["StreamARN"] == ARN
    assert session.asked["APIName"] == "PUT_MEDIA"
    assert session.asked["endpoint_url"] == "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (client_error("ResourceNotFoundException"), "there is no video stream arn:aws"),
        (client_error("AccessDeniedException"), "refused GetDataEndpoint: AccessDeniedException: why"),
        (NoCredentialsError(), "no AWS credentials"),
        ("ftp://host", "no URL"),
    ],
)
def test_a_no_from_the_control_plane_is_final(answer: Any, words: str) -> None:
    with pytest.raises(CameraError, match=words):
        url_of(FakeSession(answer))


@pytest.mark.parametrize(
    "answer",
    [
        client_error("InternalFailure", 500),
        client_error("ClientLimitExceededException"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"),
    ],
)
def test_trouble_on_the_way_may_pass(answer: Any) -> None:
    with pytest.raises(LostConnectionError):
        url_of(FakeSession(answer))


@pytest.mark.parametrize("arn", ["", "gate", "arn:aws:kinesis:eu-central-1:123456789012:stream/x"])
def test_what_is_no_arn_of_a_video_stream_is_refused(arn: str) -> None:
    with pytest.raises(CameraError, match="is not the ARN of a video stream"):
        region_of(arn)


def test_refusals_are_read_from_the_header_or_the_body() -> None:
    by_header = refusal(
        400, {"x-amz-errortype": "ConnectionLimitExceededException"}, b'{"Message":"one\\nonly"}'
    )
    by_body = refusal(401, {}, b'{"__type":"com.amazonaws#NotAuthorizedException:x","message":"no"}')
    neither = refusal(502, {}, b"<html>Bad Gateway</html>")

    assert str(by_header) == "ConnectionLimitExceededException: one only"
    assert (by_body.status, by_body.code, str(by_body)) == (
        401,
        "NotAuthorizedException",
        "NotAuthorizedException: no",
    )
    assert str(neither) == "HTTP 502"


@pytest.mark.parametrize("error_id", [4000, 4003, 5000, 5001])
def test_errors_of_the_service_itself_pass(error_id: int) -> None:
    with pytest.raises(LostConnectionError):
        check_ack(Ack("ERROR", error_id=error_id))


@pytest.mark.parametrize(
    ("error_id", "hint"), [(4007, "clock"), (4008, "not active"), (4999, "4999"), (None, "ERROR")]
)
def test_errors_of_the_video_or_the_stream_are_final(error_id: int | None, hint: str) -> None:
    with pytest.raises(CameraError, match=hint):
        check_ack(Ack("ERROR", error_id=error_id))


def test_a_file_is_read_once_without_loop() -> None:
    assert [fragment.timecode_ms for fragment in file_fragments("f", loop=False, read=read)] == [0, 2000]


def test_in_a_loop_the_timecodes_go_on() -> None:
    endless = file_fragments("f", loop=True, read=read)

    turns = [next(endless) for _ in range(5)]

    assert [fragment.timecode_ms for fragment in turns] == [0, 2000, 5920, 7920, 11840]
    for previous, fragment in itertools.pairwise(turns):
        assert fragment.first_frame_ms > previous.last_frame_ms


def test_a_film_of_one_instant_still_goes_on_in_a_loop() -> None:
    def instant(_path: str | Path) -> Iterator[Fragment]:
        from sightline_media import FragmentReader
        from tests.unit.media.matroska import cluster, start

        yield from FragmentReader().feed(start() + cluster(0))

    endless = file_fragments("f", loop=True, read=instant)

    assert [next(endless).timecode_ms for _ in range(3)] == [0, 1, 2]


def read(_path: str | Path) -> Iterator[Fragment]:
    return iter(film(2))
