"""The camera against a server on a real socket."""

import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sightline_camera import CameraError, CameraEvent, Pace, Summary, stream_video
from sightline_media import Ack, Fragment, decode_frames
from sightline_media.acks import ERROR
from tests.integration.camera.kvs_server import (
    DropConnectionError,
    FakeKvs,
    PutMediaRequest,
    acknowledge,
    serving,
)
from tests.unit.media.videos import make_video

ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-gate/1767225600000"
QUICK = Pace(real_time=False, first_delay=0.01)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=10, gop_seconds=2)


def run(kvs: FakeKvs, video: Path, **options: Any) -> tuple[Summary, list[CameraEvent]]:
    events: list[CameraEvent] = []
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")
    summary = stream_video(
        video,
        stream_arn=ARN,
        session=session,
        endpoint_url=kvs.control_url,
        **{"pace": QUICK, "on_event": events.append, **options},
    )
    return summary, events


def test_a_file_arrives_whole_signed_and_decodable(video: Path) -> None:
    with serving(FakeKvs()) as kvs:
        summary, events = run(kvs, video)

    (request,) = kvs.requests
    assert kvs.asked == [{"StreamARN": ARN, "APIName": "PUT_MEDIA"}]
    assert kvs.timecodes() == [[0, 2000, 4000, 6000, 8000]]
    assert request.is_complete
    assert request.headers["x-amzn-stream-arn"] == ARN
    assert float(request.headers["x-amzn-producer-start-timestamp"]) == round(summary.start.timestamp(), 3)
    assert "/us-east-1/kinesisvideo/aws4_request" in request.headers["authorization"]
    assert [len(list(decode_frames(fragment))) for fragment in request.fragments] == [20] * 5
    assert (summary.fragments, summary.last_fragment_number) == (5, "9000")
    assert [event.kind for event in events].count("ack") == 15


@pytest.mark.media
def test_a_real_video_arrives_as_it_is_filmed(media: Path) -> None:
    arrived: list[float] = []

    def watch(request: PutMediaRequest, fragment: Fragment) -> list[Ack]:
        arrived.append(time.time())
        return acknowledge(request, fragment)

    with serving(FakeKvs(watch)) as kvs:
        summary, _ = run(kvs, media / "derived/classroom.mp4", pace=Pace())

    late = [at - summary.start.timestamp() for at in arrived]
    # The last frame of 1.6 s of video at 15 frames a second is seen at 1.53 s.
    assert late[0] == pytest.approx(1.53, abs=0.4)
    assert late[1] == pytest.approx(2.93, abs=0.4)


def test_a_dropped_connection_is_resumed_without_repeating_what_is_persisted(video: Path) -> None:
    def drop_once(request: PutMediaRequest, fragment: Fragment) -> list[Ack]:
        if request.index == 0 and fragment.timecode_ms == 4000:
            raise DropConnectionError
        return acknowledge(request, fragment)

    with serving(FakeKvs(drop_once)) as kvs:
        summary, events = run(kvs, video, pace=Pace(real_time=False, first_delay=0.01, window=1))

    assert kvs.timecodes() == [[0, 2000], [4000, 6000, 8000]]
    assert {request.headers["x-amzn-producer-start-timestamp"] for request in kvs.requests} == {
        f"{summary.start.timestamp():.3f}"
    }
    assert summary.fragments == 5
    assert [event.kind for event in events].count("reconnecting") == 1


def test_an_error_acknowledgement_is_one_clear_line(video: Path) -> None:
    def refuse_the_second(request: PutMediaRequest, fragment: Fragment) -> list[Ack]:
        if fragment.timecode_ms == 2000:
            return [Ack(ERROR, 2000, "1", 4006)]
        return acknowledge(request, fragment)

    with serving(FakeKvs(refuse_the_second)) as kvs, pytest.raises(CameraError) as caught:
        run(kvs, video)

    assert str(caught.value) == "the video stream refused the video: INVALID_MKV_DATA (4006)"


def test_a_second_camera_is_told_so(video: Path) -> None:
    refusal = (400, "ConnectionLimitExceededException", "One connection is allowed.")

    with serving(FakeKvs(refuse=lambda _index: refusal)) as kvs, pytest.raises(CameraError) as caught:
        run(kvs, video)

    assert str(caught.value) == (
        "PutMedia was refused: ConnectionLimitExceededException: One connection is allowed. "
        "(another camera is streaming to this video stream)"
    )
    assert len(kvs.requests) == 1


def test_a_server_that_is_not_there_is_told_at_once(video: Path) -> None:
    with serving(FakeKvs()) as kvs:
        pass

    begin = time.monotonic()
    with pytest.raises(CameraError, match="the video cannot be delivered"):
        run(kvs, video)

    assert time.monotonic() - begin < 20


def test_stop_from_another_thread_ends_an_endless_stream_in_order(video: Path) -> None:
    with serving(FakeKvs()) as kvs:
        stop = _once(lambda: any(len(seen) > 5 for seen in kvs.timecodes()))
        summary, _ = run(kvs, video, stop=stop, loop=True)
        (request,) = kvs.requests

    timecodes = kvs.timecodes()[0]
    assert summary.fragments == len(timecodes) > 5
    assert timecodes == [number * 2000 for number in range(len(timecodes))]
    assert request.is_complete


def test_the_connection_is_rotated_without_a_gap(video: Path) -> None:
    pace = Pace(real_time=False, rotate_after=0.5)

    with serving(FakeKvs()) as kvs:
        stop = _once(lambda: len(kvs.requests) > 2)
        run(kvs, video, pace=pace, loop=True, stop=stop)

    assert len(kvs.requests) >= 2
    joined = [timecode for timecodes in kvs.timecodes() for timecode in timecodes]
    assert joined == [number * 2000 for number in range(len(joined))]
    assert all(request.is_complete for request in kvs.requests)


def _once(seen: Callable[[], bool]) -> threading.Event:
    """Set from another thread when it is so, after 30 seconds at the latest."""
    event, deadline = threading.Event(), time.monotonic() + 30

    def wait() -> None:
        while not seen() and time.monotonic() < deadline:
            time.sleep(0.02)
        event.set()

    threading.Thread(target=wait, daemon=True).start()
    return event


def test_large_fragments_flow_while_acknowledgements_come_back(tmp_path: Path) -> None:
    def chatter(request: PutMediaRequest, fragment: Fragment) -> list[Ack]:
        return [Ack("IDLE")] * 20_000 + acknowledge(request, fragment)

    video = make_video(tmp_path / "v.mp4", seconds=8, gop_seconds=2)
    with serving(FakeKvs(chatter)) as kvs:
        summary, events = run(kvs, video)

    assert summary.fragments == 4
    assert len([event for event in events if event.ack]) == 4 * 20_003


def test_media_is_sent_over_tls(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))

    with serving(FakeKvs(), tls) as kvs:
        summary, _ = run(kvs, video)

    assert kvs.media_url.startswith("https://")
    assert summary.fragments == 5


def test_a_server_with_an_unknown_certificate_gets_no_media(video: Path, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(tmp_path))

    with serving(FakeKvs(), tls) as kvs, pytest.raises(CameraError, match="cannot be delivered"):
        run(kvs, video)

    assert kvs.requests == []


def _certificate(folder: Path) -> Path:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kvs")]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path
