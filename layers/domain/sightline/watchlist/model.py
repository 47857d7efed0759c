"""Who is watched for: people, their faces, and what makes a photo good enough to enrol."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sightline.clock import to_iso
from sightline.errors import ConflictError, RejectedError

# Rekognition compares faces of 40 px in a full-HD frame; a portrait hardly better matches strangers.
MIN_FACE_PX = 50
# What DetectFaces itself is not sure of is a pattern on a shirt more often than a face.
MIN_FACE_CONFIDENCE_PERCENT = 50.0
# A bystander with a face less than half as wide is not mistaken for the person: IndexFaces takes the largest.
COMPARABLE_SIZE = 0.5
# Enough for every angle and pair of glasses; all ids of a person must fit in one item and one DeleteFaces.
MAX_FACES_PER_PERSON = 100


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list that people are on, and how serious it is to see them."""

    watchlist_id: str
    name: str
    severity: str


DEFAULT_WATCHLIST = Watchlist("default", "Watchlist", "high")


@dataclass(frozen=True, slots=True)
class Person:
    """`version` grows with every write: a removal and an enrolment at the same moment notice each other."""

    person_id: str
    name: str
    created_at: datetime
    face_ids: tuple[str, ...] = ()
    version: int = 1

    def with_face(self, face_id: str) -> "Person":
        if face_id in self.face_ids:
            return self
        return replace(self, face_ids=(*self.face_ids, face_id))

    def without_face(self, face_id: str) -> "Person":
        return replace(self, face_ids=tuple(known for known in self.face_ids if known != face_id))

    def check_room_for_a_face(self) -> None:
        if len(self.face_ids) >= MAX_FACES_PER_PERSON:
            raise ConflictError(
                f"This person has {MAX_FACES_PER_PERSON} faces, which is the most; remove one first."
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "person_id": self.person_id,
            "name": self.name,
            "face_count": len(self.face_ids),
            "created_at": to_iso(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Face:
    """An enrolled face; `face_id` is Rekognition's, and replaceable: people are keyed by `person_id`."""

    face_id: str
    person_id: str
    person_name: str
    watchlist_ids: tuple[str, ...]
    enrolled_at: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "face_id": self.face_id,
            "person_id": self.person_id,
            "watchlist_ids": list(self.watchlist_ids),
            "enrolled_at": to_iso(self.enrolled_at),
        }


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
    found: Sequence[FoundFace], *, photo_width_px: int, photo_height_px: int
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
    if face_px < MIN_FACE_PX:
        raise RejectedError(
            f"The face is about {face_px} px wide, {MIN_FACE_PX} are needed: use a larger photo."
        )


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
