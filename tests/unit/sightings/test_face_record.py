import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.sightings.face_record import UnreadableRecordError, read_face_record
from tests.builders import a_face_record, a_match


def changed(path: str, value: Any, payload: bytes = b"") -> bytes:
    """The face record with one member replaced; REMOVE takes it away."""
    record = json.loads(payload or a_face_record(0, [a_match()]))
    *way, last = path.split(".")
    target: Any = record
    for step in way:
        target = target[int(step)] if step.isdigit() else target[step]
    if value is REMOVE:
        del target[last]
    else:
        target[last] = value
    return json.dumps(record).encode()


REMOVE = object()
VIDEO = "InputInformation.KinesisVideo"
FACE = "FaceSearchResponse.0.DetectedFace"
MATCH = "FaceSearchResponse.0.MatchedFaces.0"


def test_the_documented_record_is_read_whole(event: Callable[[str], dict[str, Any]]) -> None:
    payload = event("consume_face_records/documented_record")["Records"][0]["kinesis"]["data"]
    record = read_face_record(base64.b64decode(payload))

    assert record.frame.video_stream_arn.endswith(":stream/stream-name")
    assert record.frame.fragment_number == "91343852333289682796718532614445757584843717598"
    assert record.frame.seen_at == datetime(2017, 11, 13, 5, 56, 35, 193_000, tzinfo=UTC)
    face = record.faces[0]
    assert (face.box.left, face.box.top, face.box.width, face.box.height) == (
        0.428125,
        0.40833333,
        0.05625,
        0.075,
    )
    assert face.pose is not None
    assert face.pose.yaw == 23.84388
    assert (face.confidence_percent, face.brightness_percent, face.sharpness_percent) == (
        99.975174,
        40.592964,
        96.09616,
    )
    match = face.matches[0]
    assert match.face_id == "ed1b560f-d6af-5158-989a-ff586c931545"
    assert (match.similarity_percent, match.external_image_id) == (88.863960, "matchedImage.jpeg")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("FaceSearchResponse", []),
        ("FaceSearchResponse", None),
        ("FaceSearchResponse", REMOVE),
        ("FaceSearchResponse.0.MatchedFaces", []),
        ("FaceSearchResponse.0.MatchedFaces", REMOVE),
        (f"{FACE}.Pose", REMOVE),
        (f"{FACE}.Quality", REMOVE),
        (f"{FACE}.Landmarks", "not what it was"),
        (f"{FACE}.NewMember", {"a": 1}),
        (f"{MATCH}.Face.ExternalImageId", REMOVE),
        (f"{MATCH}.Face.ImageId", REMOVE),
        (f"{MATCH}.Face.UserId", "u"),
        ("StreamProcessorInformation", REMOVE),
        ("NewMember", [1, 2]),
    ],
)
def test_what_aws_leaves_out_or_adds_does_not_matter(path: str, value: Any) -> None:
    record = read_face_record(changed(path, value))

    assert record.frame.fragment_number


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        a_face_record(0)[:-10],
        a_face_record(0).replace(b'"ProducerTimestamp": 1', b'"ProducerTimestamp": NaN, "X": 1'),
        a_face_record(0).replace(b'"FrameOffsetInSeconds": 0', b'"FrameOffsetInSeconds": 1e999, "X": 0'),
        a_face_record(0)[:-1] + b', "X": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        changed(f"{VIDEO}.StreamArn", REMOVE),
        changed(f"{VIDEO}.StreamArn", ""),
        changed(f"{VIDEO}.FragmentNumber", 5),
        changed(f"{VIDEO}.ProducerTimestamp", "1510552593.193"),
        changed(f"{VIDEO}.ProducerTimestamp", -1),
        changed(f"{VIDEO}.ProducerTimestamp", 1e300),
        changed(f"{VIDEO}.FrameOffsetInSeconds", REMOVE),
        changed("FaceSearchResponse", {"FaceMatches": []}),
        changed(f"{FACE}.BoundingBox", REMOVE),
        changed(f"{MATCH}.Similarity", None),
        changed(f"{MATCH}.Face.FaceId", REMOVE),
    ],
)
def test_what_is_no_face_record_is_refused(payload: bytes) -> None:
    with pytest.raises(UnreadableRecordError, match="not a face record: "):
        read_face_record(payload)


def test_numbers_as_java_prints_them_are_numbers() -> None:
    payload = a_face_record(0).replace(b'"FrameOffsetInSeconds": 0', b'"FrameOffsetInSeconds": 2E-1')
    payload = payload.replace(b'"ServerTimestamp": ', b'"ServerTimestamp": 1.514512509666E9, "X": ')

    frame = read_face_record(payload).frame

    assert frame.frame_offset_seconds == 0.2
    assert frame.server_timestamp.year == 2017


def test_the_reason_does_not_quote_the_record() -> None:
    with pytest.raises(UnreadableRecordError) as caught:
        read_face_record(changed(f"{MATCH}.Face.FaceId", 12345))

    assert "12345" not in str(caught.value)


@given(st.binary(max_size=300))
def test_no_bytes_whatever_do_anything_but_that(payload: bytes) -> None:
    with pytest.raises(UnreadableRecordError):
        read_face_record(payload)
