import math

import numpy as np
import pytest

from sightline_faces.landmarks import Landmarks


def landmarks(*, across: float = 0.0, down: float = 0.72, roll: float = 0.0) -> Landmarks:
    """Eyes 100 px apart, turned by `roll` degrees around their middle; the nose in eye distances from it."""
    turn = np.array(
        [
            [math.cos(math.radians(roll)), -math.sin(math.radians(roll))],
            [math.sin(math.radians(roll)), math.cos(math.radians(roll))],
        ]
    )
    points = np.array([[-50, 0], [50, 0], [100 * across, 100 * down]]) @ turn.T + np.array([300, 200])
    return Landmarks(eye_left=points[0], eye_right=points[1], nose=points[2])


def test_a_frontal_face_looks_straight_ahead() -> None:
    pose = landmarks().pose()

    assert (pose.pitch, pose.roll, pose.yaw) == pytest.approx((0, 0, 0), abs=0.1)


def test_a_nose_to_image_right_is_a_positive_yaw() -> None:
    assert landmarks(across=0.2).pose().yaw == pytest.approx(24, abs=1)
    assert landmarks(across=-0.2).pose().yaw == pytest.approx(-24, abs=1)


def test_a_right_eye_that_is_higher_is_a_negative_roll() -> None:
    face = Landmarks(np.array([0.0, 100.0]), np.array([100.0, 90.0]), np.array([50.0, 170.0]))

    assert face.pose().roll == pytest.approx(-5.7, abs=0.1)


def test_a_nose_nearer_to_the_eyes_looks_up() -> None:
    assert landmarks(down=0.5).pose().pitch > 10
    assert landmarks(down=0.82).pose().pitch < -5


@pytest.mark.parametrize("roll", [-40, 15, 80])
def test_roll_changes_neither_yaw_nor_pitch(roll: float) -> None:
    tilted, upright = (
        landmarks(across=0.1, down=0.6, roll=roll).pose(),
        landmarks(across=0.1, down=0.6).pose(),
    )

    assert tilted.roll == pytest.approx(roll)
    assert (tilted.yaw, tilted.pitch) == pytest.approx((upright.yaw, upright.pitch))


@pytest.mark.parametrize(
    ("across", "recognisable"), [(0, True), (0.24, True), (-0.24, True), (0.26, False), (-0.26, False)]
)
def test_a_face_turned_too_far_is_not_recognisable(across: float, recognisable: bool) -> None:
    assert landmarks(across=across).is_recognisable() is recognisable


def test_eyes_on_one_point_are_no_recognisable_face() -> None:
    point = np.array([10.0, 10.0])

    assert not Landmarks(point, point, point).is_recognisable()
    assert math.isfinite(Landmarks(point, point, point).pose().pitch)
