"""dlib's trained weights, where pip put them, checked before they are used.

Only the three files below are ever opened. The package also carries shape_predictor_68_face_landmarks.dat,
which was trained on pictures that may not be used in commercial products: it stays closed.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sightline_faces.errors import WeightsError

PACKAGE = "face_recognition_models"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file that this engine was measured with."""

    name: str
    sha256: str


EMBEDDER = WeightsFile(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
DETECTOR = WeightsFile(
    "mmod_human_face_detector.dat",
    "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
)
LANDMARKS = WeightsFile(
    "shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
)


def weights_dir() -> Path:
    # The package itself cannot be imported: it asks for pkg_resources, which new Pythons do not bring.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            f"the Python package {PACKAGE} is missing; install it with: pip install {PACKAGE}==0.3.0"
        )
    return Path(spec.submodule_search_locations[0]) / "models"


def checked_path(file: WeightsFile, folder: Path | None = None) -> Path:
    """The path of a weights file whose content is the expected one."""
    path = (folder or weights_dir()) / file.name
    if not path.is_file():
        raise WeightsError(
            f"{path} is missing; install it again with: pip install --force-reinstall {PACKAGE}==0.3.0"
        )
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        raise WeightsError(
            f"{path} is not the file this engine knows: its SHA-256 is {found}, not {file.sha256}"
        )
    return path
