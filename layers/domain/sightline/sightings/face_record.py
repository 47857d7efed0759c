"""Rekognition's JSON → FaceRecord; members we do not use are skipped, and not looked at."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from sightline.sightings.model import Box, DetectedFace, FaceRecord, Frame, Match, Pose

# The last second of year 9998: an offset added to it is still a date.
EpochSeconds = Annotated[float, Meta(ge=0, le=253_370_764_800)]
OffsetSeconds = Annotated[float, Meta(ge=-86_400, le=86_400)]
Id = Annotated[str, Meta(min_length=1)]


class UnreadableRecordError(Exception):
    """The bytes are no face record, and will be none on a retry."""


class _Struct(msgspec.Struct, rename="pascal", gc=False):
    pass


class _KinesisVideo(_Struct):
    stream_arn: Id
    fragment_number: Id
    server_timestamp: EpochSeconds
    producer_timestamp: EpochSeconds
    frame_offset_in_seconds: OffsetSeconds


class _InputInformation(_Struct):
    kinesis_video: _KinesisVideo


class _BoundingBox(_Struct):
    left: float
    top: float
    width: float
    height: float


class _Pose(_Struct):
    pitch: float
    roll: float
    yaw: float


class _Quality(_Struct):
    brightness: float | None = None
    sharpness: float | None = None


class _DetectedFace(_Struct):
    bounding_box: _BoundingBox
    confidence: float | None = None
    pose: _Pose | None = None
    quality: _Quality | None = None


class _Face(_Struct):
    face_id: Id
    external_image_id: str | None = None


class _MatchedFace(_Struct):
    similarity: float
    face: _Face


class _FaceSearch(_Struct):
    detected_face: _DetectedFace
    matched_faces: list[_MatchedFace] | None = None


class _FaceRecord(_Struct):
    input_information: _InputInformation
    face_search_response: list[_FaceSearch] | None = None


_decode = msgspec.json.Decoder(_FaceRecord).decode


def read_face_record(payload: bytes) -> FaceRecord:
    """The face record in `payload`; UnreadableRecordError says what is wrong without quoting it."""
    try:
        record = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
        raise UnreadableRecordError(f"not a face record: {reason}") from None
    faces = record.face_search_response or ()
    return FaceRecord(
        _frame(record.input_information.kinesis_video),
        tuple(_face(index, face) for index, face in enumerate(faces)),
    )


def _frame(video: _KinesisVideo) -> Frame:
    return Frame(
        video.stream_arn,
        video.fragment_number,
        video.frame_offset_in_seconds,
        datetime.fromtimestamp(video.producer_timestamp, UTC),
        datetime.fromtimestamp(video.server_timestamp, UTC),
    )


def _face(index: int, found: _FaceSearch) -> DetectedFace:
    face = found.detected_face
    box, pose, quality = face.bounding_box, face.pose, face.quality or _Quality()
    return DetectedFace(
        index,
        Box(box.left, box.top, box.width, box.height),
        face.confidence,
        None if pose is None else Pose(pose.pitch, pose.roll, pose.yaw),
        quality.brightness,
        quality.sharpness,
        tuple(
            Match(each.similarity, each.face.face_id, each.face.external_image_id)
            for each in found.matched_faces or ()
        ),
    )
