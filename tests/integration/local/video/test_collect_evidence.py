"""The whole function on real video: the local Kinesis Video, S3 of moto, the handler with an event of SNS."""

import hashlib
import importlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import boto3
import numpy as np
import pytest
from PIL import Image

from sightline.errors import UnavailableError
from sightline.evidence.kvs import KinesisVideoArchive
from sightline.evidence.model import EvidenceRequest, NoVideoError
from sightline.evidence.s3 import S3Vault
from sightline.evidence.service import EvidenceCollector
from sightline.evidence.studio import VideoStudio
from sightline_media import Fragment, decode_frame_at, remux
from tests.builders import a_lambda_context
from tests.fakes.devices import FakeClock
from tests.fakes.evidence import an_alert
from tests.fakes.producer import Producer

BUCKET = "evidence"


@pytest.fixture(scope="module")
def film(media: Path) -> list[Fragment]:
    """24 s in fragments of 2 s."""
    return list(remux(media / "derived" / "demo_astronaut_hopper.mkv"))


@pytest.fixture
def bucket(cloud: Any) -> Any:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def put(cloud: Any, film: list[Fragment]) -> list[str]:
    with Producer(cloud.media_server.url, "sightline-gate-3") as producer:
        producer.send(film[0].header)
        for number, fragment in enumerate(film, 1):
            producer.send(fragment.cluster)
            producer.wait_for("PERSISTED", number)
        producer.end()
        producer.rest()
        return [ack.number or "" for ack in producer.of("PERSISTED")]


def an_alert_of(stream_arn: str, number: str, offset: float = 1.5) -> dict[str, Any]:
    alert = an_alert()
    alert["evidence"] |= {
        "video_stream_arn": stream_arn,
        "fragment_number": number,
        "frame_offset_seconds": offset,
    }
    return alert


def archive_of(cloud: Any) -> KinesisVideoArchive:
    return KinesisVideoArchive(
        cloud.client("kinesisvideo"),
        lambda url: cloud.client("kinesis-video-archived-media", url=url),
    )


def collector(cloud: Any, s3: Any, clock: FakeClock) -> EvidenceCollector:
    def pause(seconds: float) -> None:
        clock.move(seconds=seconds)

    return EvidenceCollector(archive_of(cloud), VideoStudio(), S3Vault(s3, BUCKET), clock, pause)


def files_of(s3: Any, alert_id: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"alerts/{alert_id}/")["Contents"]
    return {
        each["Key"].rpartition("/")[2]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }


def request_of(alert: dict[str, Any]) -> EvidenceRequest:
    return EvidenceRequest.from_alert(json.dumps(alert))


@pytest.mark.media
def test_the_exact_frame_the_clip_around_it_and_their_hashes(
    cloud: Any, bucket: Any, film: list[Fragment]
) -> None:
    arn = cloud.video_stream("sightline-gate-3")
    numbers = put(cloud, film)
    clock = FakeClock(datetime.now(UTC))
    alert = an_alert_of(arn, numbers[5])

    status = collector(cloud, bucket, clock).collect(request_of(alert), clock())

    files = files_of(bucket, alert["alert_id"])
    manifest = json.loads(files["manifest.json"])
    assert status == manifest["status"] == "complete"
    assert manifest["missing"] == {}
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != "manifest.json"
    }
    unboxed = np.asarray(Image.open(io.BytesIO(files["frame-unboxed.jpg"]))).astype(int)
    assert abs(unboxed - decode_frame_at(film[5], 1.5).rgb.astype(int)).mean() < 3
    assert Image.open(io.BytesIO(files["thumbnail.jpg"])).width == 320
    assert files["frame.jpg"] != files["frame-unboxed.jpg"]
    with av.open(io.BytesIO(files["clip.mp4"]), format="mp4") as container:
        shown = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    # The frame is at 11.5 s: fragments 0 (it runs at 1.5 s) to 10 (it runs at 21.5 s).
    assert len(shown) == sum(len(each.blocks) for each in film[:11])
    assert manifest["clip"]["fragments"] == 11


@pytest.mark.media
def test_a_clip_beyond_the_limits_is_joined_from_real_parts(
    cloud: Any, bucket: Any, film: list[Fragment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.evidence.model.MAX_CLIP_FRAGMENTS", 4)
    arn = cloud.video_stream("sightline-gate-3")
    numbers = put(cloud, film)
    clock = FakeClock(datetime.now(UTC))
    alert = an_alert_of(arn, numbers[5])

    collector(cloud, bucket, clock).collect(request_of(alert), clock())

    movie = files_of(bucket, alert["alert_id"])["clip.mp4"]
    with av.open(io.BytesIO(movie), format="mp4") as container:
        shown = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert len(shown) == sum(len(each.blocks) for each in film[:11])
    steps = [later - earlier for earlier, later in pairwise(shown)]
    assert max(steps) < 0.2, "no gap where the parts meet"


@pytest.mark.media
def test_a_stream_without_retention_gives_the_frame_and_says_why_there_is_no_clip(
    cloud: Any, bucket: Any, film: list[Fragment]
) -> None:
    arn = cloud.video_stream("sightline-gate-3", retention_hours=0)
    with Producer(cloud.media_server.url, "sightline-gate-3") as producer:
        producer.send(film[0].header + film[0].cluster)
        producer.wait_for("RECEIVED")
        producer.end()
        number = next(ack.number for ack in producer.rest() if ack.number)
    clock = FakeClock(datetime.now(UTC))
    alert = an_alert_of(arn, number)

    status = collector(cloud, bucket, clock).collect(request_of(alert), clock())

    files = files_of(bucket, alert["alert_id"])
    assert status == "partial"
    assert "clip.mp4" not in files
    assert "frame.jpg" in files
    assert list(json.loads(files["manifest.json"])["missing"]) == ["clip.mp4"]


def test_a_fragment_that_is_not_there_is_none_and_a_stream_that_is_gone_says_so(cloud: Any) -> None:
    arn = cloud.video_stream("sightline-gate-3")
    archive = archive_of(cloud)

    assert archive.fragment(arn, "91343852333289682796718532614445757584843717598") is None
    assert archive.listed(arn, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)) == []
    with pytest.raises(NoVideoError, match="gone"):
        archive.fragment(arn[:-3] + "000", "17")


def test_an_archive_that_refuses_is_an_outage(cloud: Any) -> None:
    arn = cloud.video_stream("sightline-gate-3")
    role = cloud.role(
        "nothing", [{"Effect": "Allow", "Action": "kinesisvideo:GetDataEndpoint", "Resource": "*"}]
    )
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    archive = KinesisVideoArchive(cloud.client("kinesisvideo"), lambda _url: cloud.archive(lent))

    with pytest.raises(UnavailableError, match="AccessDenied"):
        archive.fragment(arn, "17")


@pytest.mark.media
def test_the_handler_collects_what_sns_delivers(
    cloud: Any,
    bucket: Any,
    film: list[Fragment],
    event: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A minute ago, so that the function need not wait for the clip's end.
    cloud.store._clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
    arn = cloud.video_stream("sightline-gate-3")
    numbers = put(cloud, film)
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "EVIDENCE_BUCKET": BUCKET,
        "POWERTOOLS_SERVICE_NAME": "collect_evidence",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would keep the keys of an earlier test
    handler = importlib.import_module("functions.collect_evidence.handler")
    handler.collector.cache_clear()
    delivered = event("collect_evidence/alert")
    message = delivered["Records"][0]["Sns"]
    alert = json.loads(message["Message"])
    alert["evidence"] |= {"video_stream_arn": arn, "fragment_number": numbers[0]}
    message["Message"] = json.dumps(alert)

    handler.lambda_handler(delivered, a_lambda_context("collect_evidence"))
    handler.collector.cache_clear()

    assert set(files_of(bucket, alert["alert_id"])) == {
        *("frame.jpg", "frame-unboxed.jpg", "thumbnail.jpg", "clip.mp4", "face-record.json", "manifest.json")
    }
