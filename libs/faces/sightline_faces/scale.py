"""Distance of two descriptors ↔ similarity in per cent.

80, the lowest threshold that Rekognition accepts, stands at a distance of 0.50, and 90 at 0.424, where false
matches vanished in 25 000 measured pairs. It is a scale to show and to set thresholds on: not a probability,
and not Amazon's scale.
"""

import math

import numpy as np
from numpy.typing import NDArray

STEEPNESS = 10.664
MIDDLE = 0.63
"""The distance at which the similarity is 50."""


def similarity(distance: float) -> float:
    """Per cent, 99.88 at distance 0 and falling for ever."""
    return float(similarities(np.asarray(distance, dtype=np.float64)))


def similarities(distances: NDArray[np.floating]) -> NDArray[np.floating]:
    # 100 / (1 + exp(STEEPNESS * (d - MIDDLE))), with tanh because exp overflows on a broken descriptor.
    scaled: NDArray[np.floating] = 50.0 * (1.0 - np.tanh(STEEPNESS * (distances - MIDDLE) / 2.0))
    return scaled


def distance(similarity: float) -> float:
    """The distance at which `similarity` is reached; below 0 for a similarity that no face can reach."""
    if not 0.0 < similarity < 100.0:
        raise ValueError(f"a similarity is more than 0 and less than 100 per cent, not {similarity}")
    return MIDDLE - math.log(similarity / (100.0 - similarity)) / STEEPNESS
