import json

from sightline_faces import Box, Face, Pose, Quality, detected_face, face_detail


def a_face() -> Face:
    return Face(
        box=Box(left=-0.01, top=0.2, width=0.3, height=0.4),
        confidence=99.5,
        landmarks={"eyeLeft": (0.1, 0.3), "eyeRight": (0.2, 0.31), "nose": (0.15, 0.4)},
        pose=Pose(pitch=1.0, roll=2.0, yaw=3.0),
        quality=Quality(brightness=50.0, sharpness=60.0),
    )


def test_a_face_is_told_in_the_words_of_a_face_search_record() -> None:
    assert detected_face(a_face()) == {
        "BoundingBox": {"Height": 0.4, "Width": 0.3, "Left": -0.01, "Top": 0.2},
        "Confidence": 99.5,
        "Landmarks": [
            {"X": 0.1, "Y": 0.3, "Type": "eyeLeft"},
            {"X": 0.2, "Y": 0.31, "Type": "eyeRight"},
            {"X": 0.15, "Y": 0.4, "Type": "nose"},
        ],
        "Pose": {"Pitch": 1.0, "Roll": 2.0, "Yaw": 3.0},
        "Quality": {"Brightness": 50.0, "Sharpness": 60.0},
    }


def test_detect_faces_uses_the_same_words() -> None:
    assert face_detail(a_face()) == detected_face(a_face())


def test_a_face_that_was_measured_can_be_written_as_json(astronaut_face: Face) -> None:
    record = detected_face(astronaut_face)

    assert json.loads(json.dumps(record)) == record
