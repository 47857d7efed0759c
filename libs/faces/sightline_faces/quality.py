"""How bright and how sharp a face is, on scales from 0 to 100."""

import numpy as np

from sightline_faces.face import Picture, Quality

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)

SHARPEST_VARIANCE = 10_000.0
"""Of the Laplacian: a chip of black and white edges; a blurred face has less than 10."""


def quality_of(chip: Picture) -> Quality:
    luma = chip @ LUMA
    inner = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner
    sharpness = 100 * np.log1p(laplacian.var()) / np.log1p(SHARPEST_VARIANCE)
    return Quality(brightness=float(luma.mean() * 100 / 255), sharpness=float(np.clip(sharpness, 0, 100)))
