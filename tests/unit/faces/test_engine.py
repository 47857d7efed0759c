from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline_faces import Face, FaceEngine, Picture, similarity


def similarity_of(one: Face, other: Face) -> float:
    assert one.descriptor is not None
    assert other.descriptor is not None
    return similarity(float(np.linalg.norm(one.descriptor - other.descriptor)))


def resized(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


def frame_with(*portraits: tuple[Picture, int, int]) -> Picture:
    """640 x 480 with portraits, each (picture, width, left)."""
    frame = np.full((480, 640, 3), 110, np.uint8)
    for picture, width, left in portraits:
        height = round(width * picture.shape[0] / picture.shape[1])
        frame[40 : 40 + height, left : left + width] = resized(picture, width, height)
    return frame


def test_a_portrait_has_one_face_with_everything_known_about_it(astronaut_face: Face) -> None:
    assert astronaut_face.confidence > 99
    assert astronaut_face.descriptor is not None
    assert astronaut_face.descriptor.shape == (128,)
    assert set(astronaut_face.landmarks) == {"eyeLeft", "eyeRight", "nose"}
    assert astronaut_face.landmarks["eyeLeft"][0] < astronaut_face.landmarks["eyeRight"][0]
    assert abs(astronaut_face.pose.yaw) < 15
    assert 30 < astronaut_face.quality.brightness < 80
    box = astronaut_face.box
    assert box.left < astronaut_face.landmarks["nose"][0] < box.left + box.width
    assert box.top < astronaut_face.landmarks["nose"][1] < box.top + box.height


def test_two_people_are_not_similar(astronaut_face: Face, hopper_face: Face) -> None:
    assert similarity_of(astronaut_face, hopper_face) < 50


@pytest.mark.parametrize("side", [256, 3000])
def test_a_photo_of_any_size_shows_the_same_person(
    engine: FaceEngine, astronaut: Picture, astronaut_face: Face, side: int
) -> None:
    (face,) = engine.analyse(resized(astronaut, side, side), photo=True)

    assert similarity_of(face, astronaut_face) > 95


def test_a_photo_that_is_all_face_shows_the_same_person(
    engine: FaceEngine, astronaut: Picture, astronaut_face: Face
) -> None:
    box, side = astronaut_face.box, astronaut.shape[0]
    left, top, size = (round(value * side) for value in (box.left, box.top, box.width))

    (face,) = engine.analyse(astronaut[top : top + size, left : left + size], photo=True)

    assert similarity_of(face, astronaut_face) > 95


def test_both_faces_of_a_frame_are_found_and_told_apart(
    engine: FaceEngine, astronaut: Picture, hopper: Picture, astronaut_face: Face, hopper_face: Face
) -> None:
    frame = frame_with((astronaut, 300, 20), (hopper, 260, 360))

    left, right = sorted(engine.analyse(frame), key=lambda face: face.box.left)

    assert similarity_of(left, astronaut_face) > 95
    assert similarity_of(right, hopper_face) > 95
    assert similarity_of(left, hopper_face) < 50


def test_only_the_largest_face_when_asked(engine: FaceEngine, astronaut: Picture, hopper: Picture) -> None:
    frame = frame_with((astronaut, 300, 20), (hopper, 260, 360))
    everyone = engine.analyse(frame)

    (largest,) = engine.analyse(frame, largest_only=True)

    assert largest.box.width == max(face.box.width for face in everyone)
    assert largest in everyone


def test_the_same_frame_gives_the_same_numbers(
    engine: FaceEngine, astronaut: Picture, face_cache: Path
) -> None:
    (first,) = engine.analyse(astronaut)
    (second,) = FaceEngine.load(face_cache).analyse(astronaut)

    assert first == second
    assert first.descriptor is not None
    assert second.descriptor is not None
    assert np.array_equal(first.descriptor, second.descriptor)


def test_a_picture_that_is_a_view_of_another_is_read_right(engine: FaceEngine, astronaut: Picture) -> None:
    mirrored = astronaut[:, ::-1]

    assert engine.analyse(mirrored) == engine.analyse(mirrored.copy())


def test_a_frame_without_faces_has_none(engine: FaceEngine) -> None:
    assert engine.analyse(np.full((360, 640, 3), 128, np.uint8)) == []


@pytest.mark.parametrize(
    "nothing",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3)),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(engine: FaceEngine, nothing: Picture) -> None:
    with pytest.raises(ValueError, match="height x width x 3"):
        engine.analyse(nothing)


def test_a_senseless_smallest_face_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        FaceEngine.load(min_face_px=0)


@pytest.mark.media
def test_a_face_in_profile_is_seen_but_not_described(engine: FaceEngine, media: Path) -> None:
    import av

    with av.open(str(media / "derived" / "head-pose-face-detection-female-and-male.mp4")) as video:
        frame = next(iter(video.decode(video=0))).to_ndarray(format="rgb24")

    frontal, in_profile = sorted(engine.analyse(frame), key=lambda face: abs(face.pose.yaw))

    assert frontal.descriptor is not None
    assert in_profile.descriptor is None
    assert abs(in_profile.pose.yaw) > 30
