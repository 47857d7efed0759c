"""What makes a photo good enough to enrol, and how a refusal is said."""

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.errors import RejectedError

# What DetectFaces itself is not sure of is a pattern on a shirt more often than a face.
MIN_FACE_CONFIDENCE_PERCENT = 50.0
# A bystander with a face less than half as wide is not mistaken for the person: IndexFaces takes the largest.
COMPARABLE_SIZE = 0.5


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face that DetectFaces found in a photo; width and height are ratios of the photo's."""

    width: float
    height: float
    confidence_percent: float

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Indexing:
    """What IndexFaces did with a photo: whose face it is under which id, or its codes for refusing."""

    face_id: str | None
    person_id: str | None = None
    reasons: tuple[str, ...] = ()


def check_photo_shows_one_face(
    found: Sequence[FoundFace], *, photo_width_px: int, photo_height_px: int, min_face_px: int
) -> None:
    """RejectedError says what to do about a photo that does not show exactly one usable face."""
    faces = [face for face in found if face.confidence_percent >= MIN_FACE_CONFIDENCE_PERCENT]
    if not faces:
        raise RejectedError("No face is in the photo: use one that shows the face from the front, well lit.")
    largest = max(faces, key=lambda face: face.area)
    comparable = sum(face.area >= largest.area * COMPARABLE_SIZE**2 for face in faces)
    if comparable > 1:
        raise RejectedError(f"{_in_words(comparable)} faces are in the photo: crop it to one.")
    # Rekognition turns a photo as its EXIF data says; the root of the area is the same either way.
    face_px = round((largest.area * photo_width_px * photo_height_px) ** 0.5)
    if face_px < min_face_px:
        raise RejectedError(f"The face is {face_px} px wide, {min_face_px} are needed: use a larger photo.")


def why_not_indexed(reasons: Sequence[str]) -> str:
    """One sentence for Rekognition's reasons (`LOW_SHARPNESS`, …); an unknown reason is quoted."""
    said = [_REASONS.get(reason, f"Rekognition says {reason}") for reason in dict.fromkeys(reasons)]
    return f"The face cannot be enrolled: {'; '.join(said) or 'it is not clear enough'}."


_REASONS = {
    "EXTREME_POSE": "it is turned too far away from the camera",
    "LOW_BRIGHTNESS": "the photo is too dark",
    "LOW_SHARPNESS": "the photo is not sharp enough",
    "LOW_CONFIDENCE": "it is not certain that this is a face",
    "LOW_FACE_QUALITY": "too little of the face can be seen",
    "SMALL_BOUNDING_BOX": "it is too small in the photo",
    "EXCEEDS_MAX_FACES": "there are more faces in the photo",
}


def _in_words(count: int) -> str:
    return {2: "Two", 3: "Three", 4: "Four"}.get(count, str(count))
