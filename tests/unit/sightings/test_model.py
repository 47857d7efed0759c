from typing import Any

import pytest

from sightline.sightings.face_record import read_face_record
from sightline.sightings.model import FaceRecord, device_of, sightings_of
from tests.builders import SEEN_AT, VIDEO_STREAM_ARN, a_face, a_face_record, a_match, device_facts

ENROLLED = {face.face_id: face for face in (a_face("ada"), a_face("ada", face_id="ada-2"), a_face("grace"))}


def a_record(*faces: list[dict[str, Any]], at_seconds: float = 0.0) -> FaceRecord:
    return read_face_record(a_face_record(at_seconds, *faces))


def test_a_person_with_several_enrolled_faces_is_seen_once_at_her_best() -> None:
    record = a_record([a_match("ada", similarity=95.0), a_match("ada", face_id="ada-2", similarity=97.0)])

    (sighting,) = sightings_of(record, device_facts(), ENROLLED)

    assert (sighting.match.similarity_percent, sighting.match.face_id) == (97.0, "ada-2")


def test_two_people_in_a_frame_are_two_sightings() -> None:
    record = a_record([a_match("ada")], [a_match("grace")])

    sightings = sightings_of(record, device_facts(), ENROLLED)

    assert [each.person.person_id for each in sightings] == ["ada", "grace"]
    assert len({each.sighting_id for each in sightings}) == 2


def test_a_face_that_resembles_two_people_is_a_sighting_of_each() -> None:
    record = a_record([a_match("ada"), a_match("grace", similarity=96.0)])

    assert len(sightings_of(record, device_facts(), ENROLLED)) == 2


def test_a_subject_without_a_name_stands_beside_one_with() -> None:
    nameless = a_match("grace")
    del nameless["Face"]["ExternalImageId"]

    sightings = sightings_of(a_record([nameless], [a_match("ada")]), device_facts(), ENROLLED)

    assert [each.match.external_image_id for each in sightings] == [None, "ada"]


def test_the_same_frame_again_is_the_same_sighting() -> None:
    once, again = (sightings_of(a_record([a_match()]), device_facts(), ENROLLED) for _ in range(2))
    later = sightings_of(a_record([a_match()], at_seconds=0.2), device_facts(), ENROLLED)

    assert once[0].sighting_id == again[0].sighting_id != later[0].sighting_id


def test_a_sighting_happened_at_the_time_of_its_fragment_and_the_offset_of_its_frame() -> None:
    record = a_record([a_match()], at_seconds=3.2)

    (sighting,) = sightings_of(record, device_facts(), ENROLLED)

    assert (sighting.seen_at - SEEN_AT).total_seconds() == 3.2


def test_a_row_has_every_column_of_the_sightings_stream() -> None:
    (sighting,) = sightings_of(a_record([a_match()], at_seconds=1.5), device_facts(), ENROLLED)

    row = sighting.to_row(visit_id="vi-1", recorded_at=SEEN_AT)

    assert row == {
        "sighting_id": sighting.sighting_id,
        "device_id": "gate-3",
        "site": "Harbour",
        "seen_at": "2026-11-22T13:02:08.500Z",
        "person_id": "ada",
        "person_name": "Ada Lovelace",
        "watchlist_id": "default",
        "similarity": 99.0,
        "face_id": "face-of-ada",
        "external_image_id": "ada",
        "face_confidence": 99.975174,
        "box_left": 0.42,
        "box_top": 0.4,
        "box_width": 0.05625,
        "box_height": 0.075,
        "pose_pitch": 2.9,
        "pose_roll": -6.8,
        "pose_yaw": 23.8,
        "brightness": 40.5,
        "sharpness": 96.0,
        "video_stream_arn": VIDEO_STREAM_ARN,
        "fragment_number": sighting.frame.fragment_number,
        "frame_offset_seconds": 1.5,
        "server_timestamp": "2026-11-22T13:02:07.250Z",
        "producer_timestamp": "2026-11-22T13:02:07.000Z",
        "engine": "stream-processor",
        "visit_id": "vi-1",
        "recorded_at": "2026-11-22T13:02:07.000Z",
        "schema_version": 1,
    }


@pytest.mark.parametrize(
    ("face_stream", "video_stream", "device_id"),
    [
        ("sightline-faces-gate-3", "sightline-gate-3/1795348800000", "gate-3"),
        ("sightline-faces-gate-3", "stream-name", "gate-3"),  # a replay of somebody else's record
        ("sightline-faces-gate-3", "sightline-gate-4/1", "gate-3"),
        ("sightline-shared", "sightline-gate-4/1", "gate-4"),
        ("sightline-shared", "other-gate-4/1", None),
        ("sightline-shared", "sightline-", None),
        ("sightline-faces-", "sightline-gate-4/1", None),
    ],
)
def test_a_records_device_follows_from_the_names_of_its_streams(
    face_stream: str, video_stream: str, device_id: str | None
) -> None:
    arn = f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{video_stream}"

    assert device_of(face_stream, arn, stack_name="sightline") == device_id
