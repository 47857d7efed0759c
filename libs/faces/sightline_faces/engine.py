"""Pictures in, faces out, in the caller's process."""

import math
from pathlib import Path
from typing import Self

import numpy as np

from sightline_faces.detector import Detection, Detector
from sightline_faces.face import Box, Descriptor, Face, Picture
from sightline_faces.landmarks import LandmarkFinder, Landmarks
from sightline_faces.networks import DETECTOR_NETWORK, EMBEDDER_NETWORK, cached
from sightline_faces.quality import quality_of
from sightline_faces.session import Session

DEFAULT_MIN_FACE_PX = 53

SMALLEST_MIN_FACE_PX = 20

PHOTO_MIN_FACE_PX = 40
"""In a photo for the watchlist a small face is worth the time that a frame of video does not have."""


class FaceEngine:
    """Detector, landmarks and embedder; not for use by two threads at once, and dlib holds the GIL anyway."""

    def __init__(
        self, detector: Detector, landmarks: LandmarkFinder, embed: Session, min_face_px: int
    ) -> None:
        self._detector = detector
        self._landmarks = landmarks
        self._embed = embed
        self._min_face_px = min_face_px

    @classmethod
    def load(cls, cache_dir: Path | None = None, min_face_px: int = DEFAULT_MIN_FACE_PX) -> Self:
        """Load the networks; the first time on a machine they are built and kept in `cache_dir`.

        Raises WeightsError or BuildError.
        """
        check_min_face_px(min_face_px)
        detector = Detector(cached(DETECTOR_NETWORK, cache_dir))
        embed = Session(cached(EMBEDDER_NETWORK, cache_dir))
        return cls(detector, LandmarkFinder(), embed, min_face_px)

    def analyse(self, rgb: Picture, *, largest_only: bool = False, photo: bool = False) -> list[Face]:
        """The faces in a picture, the plainest first, or only the largest one.

        `photo`: find faces from 40 px, too. Raises ValueError for what is no picture.
        """
        rgb = checked_picture(rgb)
        smallest = min(self._min_face_px, PHOTO_MIN_FACE_PX) if photo else self._min_face_px
        detections = self._detector.detect(rgb, smallest)
        if largest_only:
            detections = sorted(detections, key=lambda found: -found.side)[:1]
        found = [self._landmarks.find(rgb, detection) for detection in detections]
        descriptors = iter(
            self._descriptors([chip for landmarks, chip in found if landmarks.is_recognisable()])
        )
        return [
            _face(rgb, detection, landmarks, chip, next(descriptors) if landmarks.is_recognisable() else None)
            for detection, (landmarks, chip) in zip(detections, found, strict=True)
        ]

    def _descriptors(self, chips: list[Picture]) -> list[Descriptor]:
        return list(self._embed(np.stack(chips))) if chips else []


def check_min_face_px(min_face_px: int) -> None:
    if min_face_px < SMALLEST_MIN_FACE_PX:
        raise ValueError(
            f"faces under {SMALLEST_MIN_FACE_PX} px cannot be told apart, so {min_face_px} is too small"
        )


def checked_picture(rgb: Picture) -> Picture:
    """The picture with its bytes in one block, as dlib needs it; ValueError when it is none."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a picture is height x width x 3 of uint8, not {rgb.shape} of {rgb.dtype}")
    return np.ascontiguousarray(rgb)


def _face(
    rgb: Picture, detection: Detection, landmarks: Landmarks, chip: Picture, descriptor: Descriptor | None
) -> Face:
    height, width, _ = rgb.shape
    points = {"eyeLeft": landmarks.eye_left, "eyeRight": landmarks.eye_right, "nose": landmarks.nose}
    return Face(
        box=Box(
            left=detection.left / width,
            top=detection.top / height,
            width=detection.side / width,
            height=detection.side / height,
        ),
        confidence=_confidence(detection.score),
        landmarks={name: (float(x / width), float(y / height)) for name, (x, y) in points.items()},
        pose=landmarks.pose(),
        quality=quality_of(chip),
        descriptor=descriptor,
    )


def _confidence(score: float) -> float:
    # Rising with the score and between 50 and 100; not calibrated to be a probability.
    return 100 / (1 + math.exp(-10 * (score - 0.5)))
