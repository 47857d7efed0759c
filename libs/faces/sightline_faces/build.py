"""Builds the networks from dlib's weights, and compares the embedder with dlib before anyone trusts it."""

import numpy as np

from sightline_faces.dlib_file import Layer, read_layers
from sightline_faces.errors import BuildError
from sightline_faces.face import Picture
from sightline_faces.onnx_networks import CHIP_PX, detector_network, embedder_network
from sightline_faces.session import Session
from sightline_faces.weights import DETECTOR, EMBEDDER, WeightsFile, checked_path

TOLERANCE = 1e-4
"""Measured: 4e-7. Two photos of one person differ by 0.3."""


def build_embedder() -> bytes:
    network = embedder_network(_layers(EMBEDDER))
    difference = difference_from_dlib(Session(network))
    # Written so that a difference which is not a number fails, too.
    if not difference <= TOLERANCE:
        raise BuildError(
            f"the face network and dlib disagree on this machine (by {difference:.2g}): "
            "another version of onnxruntime may help"
        )
    return network


def build_detector() -> bytes:
    return detector_network(_layers(DETECTOR))


def difference_from_dlib(embed: Session) -> float:
    """The largest difference of any of the 128 numbers, on one chip that never changes."""
    import dlib  # noqa: PLC0415 (slow to load, and needed once)

    chip = fixed_chip()
    reference = dlib.face_recognition_model_v1(str(checked_path(EMBEDDER))).compute_face_descriptor(chip)
    return float(np.abs(embed(chip[None])[0] - np.array(reference)).max())


def fixed_chip() -> Picture:
    """A chip of soft colours with edges in it; not a face, but every layer has work to do."""
    row, column = np.mgrid[0:CHIP_PX, 0:CHIP_PX]
    red = row * 255 // (CHIP_PX - 1)
    green = (row * column) % 256
    blue = ((row // 10 + column // 10) % 2) * 200
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def _layers(file: WeightsFile) -> list[Layer]:
    return read_layers(checked_path(file).read_bytes())
