from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline_faces import FaceEngine, Picture
from sightline_faces.detector import Detection, Detector, pyramid, suppress_overlaps
from sightline_faces.networks import DETECTOR_NETWORK, cached
from sightline_faces.weights import DETECTOR, checked_path


@pytest.fixture(scope="module")
def detector(engine: FaceEngine, face_cache: Path) -> Detector:
    return Detector(cached(DETECTOR_NETWORK, face_cache))


def small(picture: Picture, width: int) -> Picture:
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("name", "width"), [("astronaut", 200), ("hopper", 170)])
def test_it_sees_what_dlib_sees(
    detector: Detector, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    import dlib

    picture = small(request.getfixturevalue(name), width)
    reference = dlib.cnn_face_detection_model_v1(str(checked_path(DETECTOR)))(picture, 0)

    found = detector.detect(picture, min_face_px=80)

    assert len(found) == len(reference) == 1
    rect = reference[0].rect
    assert found[0].side == rect.width() == 80
    assert (found[0].left, found[0].top) == pytest.approx((rect.left(), rect.top()), abs=1)
    assert found[0].score == pytest.approx(reference[0].confidence, abs=0.001)


def test_a_face_smaller_than_asked_for_is_not_reported(detector: Detector, astronaut: Picture) -> None:
    frame = small(astronaut, 130)

    assert detector.detect(frame, min_face_px=80) == []
    assert len(detector.detect(frame, min_face_px=40)) == 1


def test_the_box_is_where_the_face_was_put(detector: Detector, astronaut: Picture) -> None:
    frame = np.full((480, 640, 3), 90, np.uint8)
    portrait = small(astronaut, 200)
    (alone,) = detector.detect(portrait, min_face_px=53)
    frame[200 : 200 + portrait.shape[0], 330 : 330 + portrait.shape[1]] = portrait

    (found,) = detector.detect(frame, min_face_px=53)

    # One cell of the level it was found at is 8/80 of its side.
    assert found.left == pytest.approx(330 + alone.left, abs=alone.side / 5)
    assert found.top == pytest.approx(200 + alone.top, abs=alone.side / 5)


def test_an_empty_room_has_no_faces(detector: Detector) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (360, 640, 3), dtype=np.uint8)

    assert detector.detect(noise, min_face_px=53) == []
    assert detector.detect(np.zeros((360, 640, 3), np.uint8), min_face_px=53) == []


@pytest.mark.parametrize("size", [(1, 1), (30, 2000), (79, 79)])
def test_a_picture_too_small_for_a_face_has_none(detector: Detector, size: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*size, 3), np.uint8), min_face_px=80) == []


def test_the_pyramid_ends_at_the_window_and_keeps_the_shape() -> None:
    levels = [level.shape for level in pyramid(np.zeros((300, 400, 3), np.uint8), (600, 450))]

    assert levels[0] == (450, 600, 3)
    assert all(height >= 80 for height, _, _ in levels)
    assert levels[-1][0] * 5 / 6 < 81
    assert all(width / height == pytest.approx(4 / 3, rel=0.02) for height, width, _ in levels)


def test_a_huge_picture_is_searched_at_a_size_that_ends_soon(detector: Detector, astronaut: Picture) -> None:
    huge = np.asarray(Image.fromarray(astronaut).resize((4000, 4000)))

    (found,) = detector.detect(huge, min_face_px=40)

    assert found.side > 4000 / 24


def test_of_detections_of_one_face_the_best_is_kept() -> None:
    best = Detection(100, 100, 80, 1.0)
    shifted = Detection(110, 105, 80, 0.9)
    inside = Detection(120, 120, 30, 0.8)
    elsewhere = Detection(300, 100, 80, 0.7)

    assert suppress_overlaps([elsewhere, inside, shifted, best]) == [best, elsewhere]


def test_two_faces_side_by_side_are_two() -> None:
    left, right = Detection(100, 100, 80, 0.9), Detection(150, 100, 80, 1.0)

    assert suppress_overlaps([left, right]) == [right, left]
