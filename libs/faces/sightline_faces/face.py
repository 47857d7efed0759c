"""A face in a picture, in ratios of the picture's size, so that it means the same at every resolution."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height x width x 3, red green blue."""

Descriptor = NDArray[np.float32]
"""128 numbers; the Euclidean distance of two says how alike the faces are."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a face is; below 0 or above 1 where it leaves the picture, as Rekognition reports it."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees, estimated from five points, about ±10.

    Yaw > 0: turned to image right. Roll < 0: the eye on image right is higher. Pitch > 0: looking up.
    """

    pitch: float
    roll: float
    yaw: float


@dataclass(frozen=True, slots=True)
class Quality:
    """0 to 100 each, on this engine's own scale."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face; `landmarks` has eyeLeft (left in the image), eyeRight and nose; `confidence` is 0 to 100."""

    box: Box
    confidence: float
    landmarks: Mapping[str, tuple[float, float]]
    pose: Pose
    quality: Quality
    descriptor: Descriptor | None = field(default=None, compare=False, repr=False)
