"""Face records, pace and quality: the rules of a stream processor."""

import json

import numpy as np
import pytest

from sightline_faces import Box, Face, Pose, Quality
from sightline_local.cloud.rekognition.collection import Collection, Collections
from sightline_local.cloud.rekognition.kept_faces import KeptCollections, KnownFace
from sightline_local.cloud.rekognition.pace import seconds_between_frames
from sightline_local.cloud.rekognition.quality import faults
from sightline_local.cloud.rekognition.record import FramePlace, face_record
from sightline_local.state import Facts
from tests.unit.local.video.test_fragment_store import NOON

PLACE = FramePlace("arn:aws:kinesisvideo:r:1:stream/gate/1", "9134", 1510552593.455, 1510552593.193, 2.0)
KNOWN = KnownFace("f-1", "i-1", "ada", Box(0.1, 0.2, 0.3, 0.4), 99.9)
PICTURE = np.zeros((100, 100, 3), np.uint8)


def a_face(
    *, side: float = 0.5, yaw: float = 0.0, brightness: float = 50, sharpness: float = 50, known: bool = True
) -> Face:
    return Face(
        box=Box(0.1, 0.1, side, side),
        confidence=99.0,
        landmarks={"eyeLeft": (0.2, 0.3), "eyeRight": (0.4, 0.3), "nose": (0.3, 0.4)},
        pose=Pose(pitch=1.0, roll=2.0, yaw=yaw),
        quality=Quality(brightness, sharpness),
        descriptor=np.zeros(128, np.float32) if known else None,
    )


# ---------------------------------------------------------------- records


def test_a_record_has_the_members_of_the_documented_sample() -> None:
    record = face_record(PLACE, [(a_face(), [(KNOWN, 88.86)])])

    assert record["InputInformation"]["KinesisVideo"] == {
        "StreamArn": "arn:aws:kinesisvideo:r:1:stream/gate/1",
        "FragmentNumber": "9134",
        "ServerTimestamp": 1510552593.455,
        "ProducerTimestamp": 1510552593.193,
        "FrameOffsetInSeconds": 2.0,
    }
    match = record["FaceSearchResponse"][0]["MatchedFaces"][0]
    assert match == {
        "Similarity": 88.86,
        "Face": {
            "BoundingBox": {"Height": 0.4, "Width": 0.3, "Left": 0.1, "Top": 0.2},
            "FaceId": "f-1",
            "Confidence": 99.9,
            "ImageId": "i-1",
            "ExternalImageId": "ada",
        },
    }
    assert json.loads(json.dumps(record)) == record


def test_a_frame_without_faces_has_a_record_with_an_empty_response() -> None:
    assert face_record(PLACE, [])["FaceSearchResponse"] == []


def test_an_external_image_id_that_was_not_given_is_left_out() -> None:
    nameless = KnownFace("f-1", "i-1", None, KNOWN.box, 99.9)

    record = face_record(PLACE, [(a_face(), [(nameless, 90.0)])])

    assert "ExternalImageId" not in record["FaceSearchResponse"][0]["MatchedFaces"][0]["Face"]


# ---------------------------------------------------------------- pace


def test_five_frames_a_second_are_analysed_in_time() -> None:
    assert seconds_between_frames(0.0) == seconds_between_frames(1.0) == 0.2


def test_the_later_it_is_the_fewer_frames_but_never_fewer_than_one_a_second() -> None:
    paces = [seconds_between_frames(tenth / 10) or 0.0 for tenth in range(101)]

    assert paces == sorted(paces)
    assert paces[-1] == max(paces) == 1.0


def test_fragments_are_skipped_only_beyond_ten_seconds() -> None:
    assert seconds_between_frames(10.0) == 1.0
    assert seconds_between_frames(10.1) is None


# ---------------------------------------------------------------- quality


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        (a_face(side=0.3), "SMALL_BOUNDING_BOX"),
        (a_face(brightness=5), "LOW_BRIGHTNESS"),
        (a_face(sharpness=10), "LOW_SHARPNESS"),
        (a_face(yaw=-60), "EXTREME_POSE"),
    ],
)
def test_the_automatic_filter_names_what_is_wrong(face: Face, reason: str) -> None:
    assert faults(face, PICTURE, "AUTO") == [reason]


def test_without_a_filter_everything_that_can_be_compared_is_good_enough() -> None:
    assert faults(a_face(side=0.1, brightness=0, sharpness=0, yaw=80), PICTURE, "NONE") == []
    assert faults(a_face(known=False), PICTURE, "NONE") == ["EXTREME_POSE"]


def test_a_higher_filter_lets_through_less() -> None:
    levels = ("LOW", "AUTO", "MEDIUM", "HIGH")
    faces = [a_face(side=n / 100, brightness=n, sharpness=n, yaw=60 - n) for n in range(5, 60)]

    passed = [sum(not faults(face, PICTURE, level) for face in faces) for level in levels]

    assert passed == sorted(passed, reverse=True)
    assert passed[0] > passed[-1]


# ---------------------------------------------------------------- collections


def a_collection() -> Collection:
    return Collection("people", "arn", NOON)


def test_a_search_is_never_below_80_and_sees_changes_at_once() -> None:
    collection = a_collection()
    descriptor = np.zeros(128, np.float32)
    assert collection.search(descriptor, 0) == []

    collection.add((KNOWN, descriptor))
    far = descriptor + np.float32(0.55 / 128**0.5)  # about 70 per cent similar
    assert [face for face, _ in collection.search(descriptor, 80)] == [KNOWN]
    assert collection.search(far, 0) == []

    assert collection.remove(["f-1", "f-2"]) == (["f-1"], ["f-2"])
    assert collection.search(descriptor, 80) == []


def test_a_collection_id_is_used_once() -> None:
    collections = Collections("arn:", KeptCollections(Facts.none()))

    assert collections.create("people", NOON) is not None
    assert collections.create("people", NOON) is None
    assert collections.remove("people")
    assert not collections.remove("people")
