"""GetClip and GetImages through boto3's own client, on real video: what AWS gives, and where it stops."""

import base64
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from sightline_local.cloud.kinesisvideo import get_clip, get_images
from sightline_media import Fragment, decode_frame_at, remux
from tests.fakes.matroska import cluster, head
from tests.fakes.producer import Producer

START = 1_700_000_000.0


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


@pytest.fixture
def film(media: Path) -> list[Fragment]:
    """24 s in fragments of 2 s."""
    return list(remux(media / "derived" / "demo_astronaut_hopper.mkv"))


def put(cloud: Any, *fragments: Fragment, start: float = START) -> None:
    with Producer(
        cloud.media_server.url, "gate", {"x-amzn-producer-start-timestamp": f"{start:.3f}"}
    ) as producer:
        producer.send(fragments[0].header)
        for number, fragment in enumerate(fragments, 1):
            producer.send(fragment.cluster)
            producer.wait_for("PERSISTED", number)
        producer.end()
        producer.rest()


def clip_of(cloud: Any, start: datetime, end: datetime, kind: str = "PRODUCER_TIMESTAMP") -> bytes:
    answer = cloud.archive().get_clip(
        StreamName="gate",
        ClipFragmentSelector={
            "FragmentSelectorType": kind,
            "TimestampRange": {"StartTimestamp": start, "EndTimestamp": end},
        },
    )
    assert answer["ContentType"] == "video/mp4"
    payload: bytes = answer["Payload"].read()
    return payload


def frames_of(movie: bytes) -> list[float]:
    """When each frame of an MP4 is shown, decoded for real."""
    with av.open(io.BytesIO(movie), format="mp4") as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def images_of(cloud: Any, start: float, end: float, **more: Any) -> dict[str, Any]:
    asked = {"ImageSelectorType": "PRODUCER_TIMESTAMP", "Format": "JPEG", "SamplingInterval": 1000} | more
    answer: dict[str, Any] = cloud.archive().get_images(
        StreamName="gate", StartTimestamp=at(start), EndTimestamp=at(end), **asked
    )
    return answer


def picture(image: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image["ImageContent"])))


# ---------------------------------------------------------------- GetClip


@pytest.mark.media
def test_a_clip_holds_the_fragments_that_start_in_the_range(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, *film)

    shown = frames_of(clip_of(cloud, at(4), at(8)))

    # The fragments at 4, 6 and 8 s, the last one whole: the end is compared to where fragments start.
    assert len(shown) == sum(len(each.blocks) for each in film[2:5])
    assert shown[0] == pytest.approx(0, abs=0.05)
    assert shown[-1] == pytest.approx(6, abs=0.1)


@pytest.mark.media
def test_a_fragment_that_already_runs_at_the_start_is_left_out(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, *film)

    assert len(frames_of(clip_of(cloud, at(4.5), at(6)))) == len(film[3].blocks)


@pytest.mark.media
def test_time_goes_on_in_a_clip_where_a_camera_began_anew(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, film[0])
    put(cloud, film[0], start=START + 5)

    shown = frames_of(clip_of(cloud, at(0), at(6)))

    assert len(shown) == 2 * len(film[0].blocks)
    assert shown[len(film[0].blocks)] == pytest.approx(5, abs=0.01)


@pytest.mark.media
@pytest.mark.parametrize(("limit", "value"), [("MAX_FRAGMENTS", 3), ("MAX_BYTES", 700_000)])
def test_a_clip_ends_at_its_limits_without_a_word(
    cloud: Any, film: list[Fragment], monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    cloud.video_stream("gate")
    put(cloud, *film)
    whole = len(frames_of(clip_of(cloud, at(0), at(24))))

    monkeypatch.setattr(get_clip, limit, value)

    assert 0 < len(frames_of(clip_of(cloud, at(0), at(24)))) < whole


@pytest.mark.media
def test_a_clip_by_server_time_must_lie_in_the_past(cloud: Any, film: list[Fragment]) -> None:
    # Filmed a while ago: boto3 sends whole seconds, and the end must not be cut to before the fragment.
    cloud.store._clock = lambda: datetime.now(UTC) - timedelta(seconds=30)
    cloud.video_stream("gate")
    put(cloud, film[0])
    cloud.store._clock = lambda: datetime.now(UTC)
    now = datetime.now(UTC)

    movie = clip_of(cloud, now - timedelta(minutes=1), now, "SERVER_TIMESTAMP")
    with pytest.raises(ClientError, match=r"InvalidArgumentException.*past"):
        clip_of(cloud, now, now + timedelta(minutes=1), "SERVER_TIMESTAMP")

    assert len(frames_of(movie)) == len(film[0].blocks)


def test_a_range_without_fragments_is_not_found(cloud: Any) -> None:
    cloud.video_stream("gate")

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        clip_of(cloud, at(0), at(8))


@pytest.mark.parametrize(("start", "end"), [(8, 4), (0, 24 * 3600 + 1)])
def test_a_range_that_ends_early_or_is_longer_than_a_day_is_refused(
    cloud: Any, start: float, end: float
) -> None:
    cloud.video_stream("gate")

    with pytest.raises(ClientError, match="InvalidArgumentException"):
        clip_of(cloud, at(start), at(end))


def test_video_without_codec_data_makes_no_clip(cloud: Any) -> None:
    cloud.video_stream("gate")
    headers = {"x-amzn-producer-start-timestamp": f"{START:.3f}"}
    with Producer(cloud.media_server.url, "gate", headers) as producer:
        producer.send(head() + cluster(0))
        producer.wait_for("PERSISTED")

    with pytest.raises(ClientError, match="MissingCodecPrivateDataException"):
        clip_of(cloud, at(-1), at(8))


def test_a_stream_without_retention_has_neither_clips_nor_images(cloud: Any) -> None:
    cloud.video_stream("gate", retention_hours=0)

    for call in (lambda: clip_of(cloud, at(0), at(8)), lambda: images_of(cloud, 0, 8)):
        with pytest.raises(ClientError, match="NoDataRetentionException"):
            call()


# ---------------------------------------------------------------- GetImages


@pytest.mark.media
def test_images_show_the_frames_at_their_times(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, *film)

    found = images_of(cloud, 3, 5)["Images"]

    assert [image["TimeStamp"] for image in found] == [at(3), at(4), at(5)]
    expected = decode_frame_at(film[1], 1.0).rgb.astype(int)
    shown = np.asarray(picture(found[0]).convert("RGB")).astype(int)
    assert shown.shape == expected.shape
    assert abs(shown - expected).mean() < 4, "JPEG at quality 80 is near, another frame is not"


@pytest.mark.media
def test_an_image_where_there_is_no_video_says_so(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, film[0])

    found = images_of(cloud, -1, 3)["Images"]

    assert [image.get("Error") for image in found] == ["NO_MEDIA", None, None, "NO_MEDIA", "NO_MEDIA"]


@pytest.mark.media
def test_a_page_has_twenty_five_images_whatever_is_asked_for(cloud: Any, film: list[Fragment]) -> None:
    cloud.video_stream("gate")
    put(cloud, film[0])
    asked = {"SamplingInterval": 1000, "MaxResults": 100, "WidthPixels": 64, "HeightPixels": 48}

    first = images_of(cloud, 0, 29, **asked)
    rest = images_of(cloud, 0, 29, **asked, NextToken=first["NextToken"])

    assert (len(first["Images"]), len(rest["Images"])) == (25, 5)
    assert "NextToken" not in rest
    assert rest["Images"][0]["TimeStamp"] == at(25)
    assert picture(first["Images"][0]).size == (64, 48)


@pytest.mark.media
def test_an_image_larger_than_the_limit_is_an_error(
    cloud: Any, film: list[Fragment], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.video_stream("gate")
    put(cloud, film[0])
    monkeypatch.setattr(get_images, "MAX_CONTENT_CHARACTERS", 100)

    assert images_of(cloud, 0, 0.5)["Images"] == [{"TimeStamp": at(0), "Error": "MEDIA_ERROR"}]


@pytest.mark.parametrize(
    ("end", "more", "error"),
    [
        (301, {}, "InvalidArgumentException"),
        (0, {}, "InvalidArgumentException"),
        (8, {"SamplingInterval": 199}, "InvalidArgumentException"),
        (8, {"WidthPixels": 640}, "ValidationException"),
        (8, {"Format": "GIF"}, "InvalidArgumentException"),
        (8, {"FormatConfig": {"JPEGQuality": "101"}}, "InvalidArgumentException"),
        (8, {"NextToken": "bm9uc2Vuc2U="}, "InvalidArgumentException"),
    ],
)
def test_what_get_images_does_not_do_is_refused(cloud: Any, end: float, more: Any, error: str) -> None:
    cloud.video_stream("gate")

    with pytest.raises(ClientError, match=error):
        images_of(cloud, 0, end, **more)


# ---------------------------------------------------------------- endpoints and permissions


@pytest.mark.parametrize("api", ["GET_CLIP", "GET_IMAGES"])
def test_the_endpoint_is_asked_for_by_its_api_name(cloud: Any, api: str) -> None:
    cloud.video_stream("gate")

    endpoint = cloud.client("kinesisvideo").get_data_endpoint(StreamName="gate", APIName=api)

    assert endpoint["DataEndpoint"] == cloud.media_server.url


@pytest.mark.parametrize(("action", "call"), [("GetClip", clip_of), ("GetImages", images_of)])
def test_each_needs_its_own_permission(cloud: Any, action: str, call: Any) -> None:
    cloud.video_stream("gate")
    other = {"GetClip": "GetImages", "GetImages": "GetClip"}[action]
    role = cloud.role("some", [{"Effect": "Allow", "Action": f"kinesisvideo:{other}", "Resource": "*"}])
    lent = cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com")
    archive = cloud.archive(lent)
    cloud.archive = lambda: archive

    with pytest.raises(ClientError, match=f"not authorized to perform: kinesisvideo:{action} "):
        call(cloud, *((at(0), at(8)) if action == "GetClip" else (0, 8)))
