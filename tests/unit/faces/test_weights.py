import importlib.util
import sys
from pathlib import Path

import pytest

from sightline_faces import WeightsError, weights
from sightline_faces.weights import DETECTOR, EMBEDDER, LANDMARKS, WeightsFile, checked_path, weights_dir


@pytest.mark.parametrize("file", [EMBEDDER, DETECTOR, LANDMARKS])
def test_the_installed_weights_are_the_ones_that_were_measured(file: WeightsFile) -> None:
    assert checked_path(file).is_file()


def test_the_weights_are_found_without_importing_their_package() -> None:
    assert (weights_dir() / EMBEDDER.name).is_file()
    assert "face_recognition_models" not in sys.modules


def test_other_weights_are_refused_by_name_and_hash(tmp_path: Path) -> None:
    (tmp_path / DETECTOR.name).write_bytes(b"something else")

    with pytest.raises(WeightsError, match=f"{DETECTOR.name} is not the file .* not {DETECTOR.sha256}"):
        checked_path(DETECTOR, tmp_path)


def test_a_missing_file_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing; install it again with: pip install"):
        checked_path(DETECTOR, tmp_path)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_models")

    with pytest.raises(WeightsError, match="pip install no_such_package_of_models=="):
        weights_dir()


def test_the_68_point_file_is_named_nowhere_in_the_code() -> None:
    package = Path(str(importlib.util.find_spec("sightline_faces").submodule_search_locations[0]))  # type: ignore[union-attr,index]

    for source in package.glob("*.py"):
        code = source.read_text().split('"""', 2)[-1]
        assert "68_face" not in code
