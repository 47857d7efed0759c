import pytest

from sightline.errors import RejectedError
from sightline.watchlist.model import FoundFace, check_photo_shows_one_face, why_not_indexed

PORTRAIT = FoundFace(0.4, 0.5, 99.9)


def check(*found: FoundFace, width: int = 640, height: int = 480) -> None:
    check_photo_shows_one_face(found, photo_width_px=width, photo_height_px=height)


def test_a_portrait_will_do() -> None:
    check(PORTRAIT)


def test_a_small_bystander_or_a_doubtful_pattern_does_not_matter() -> None:
    check(PORTRAIT, FoundFace(0.15, 0.2, 99.0), FoundFace(0.4, 0.5, 30.0))


@pytest.mark.parametrize(
    ("found", "detail"),
    [
        ([], "No face is in the photo"),
        ([FoundFace(0.4, 0.5, 30.0)], "No face is in the photo"),
        ([PORTRAIT, FoundFace(0.3, 0.4, 99.0)], "Two faces are in the photo: crop it to one."),
        ([PORTRAIT] * 3, "Three faces are in the photo"),
        ([PORTRAIT] * 7, "7 faces are in the photo"),
    ],
)
def test_anything_but_one_face_is_refused(found: list[FoundFace], detail: str) -> None:
    with pytest.raises(RejectedError, match=detail):
        check(*found)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640)])
def test_a_face_that_is_too_small_is_refused_with_its_size(width: int, height: int) -> None:
    with pytest.raises(RejectedError, match="The face is about 38 px wide, 50 are needed"):
        check(FoundFace(0.0594, 0.0792, 99.0), width=width, height=height)


def test_the_reasons_of_rekognition_are_said_in_words() -> None:
    assert why_not_indexed(["LOW_SHARPNESS", "LOW_BRIGHTNESS", "LOW_SHARPNESS"]) == (
        "The face cannot be enrolled: the photo is not sharp enough; the photo is too dark."
    )
    assert why_not_indexed(["NEW_REASON"]) == "The face cannot be enrolled: Rekognition says NEW_REASON."
    assert why_not_indexed([]) == "The face cannot be enrolled: it is not clear enough."
