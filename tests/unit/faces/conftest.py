"""One engine for all tests, built into a folder of its own, and the two public-domain portraits."""

from pathlib import Path

import pytest

from sightline_faces import Face, FaceEngine, Picture, read_photo


@pytest.fixture(scope="session")
def face_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces")


@pytest.fixture(scope="session")
def engine(face_cache: Path) -> FaceEngine:
    return FaceEngine.load(face_cache)


@pytest.fixture(scope="session")
def portraits(repository: Path) -> Path:
    return repository / "clients" / "cli" / "sightline_cli" / "portraits"


@pytest.fixture(scope="session")
def astronaut(portraits: Path) -> Picture:
    return read_photo((portraits / "astronaut.jpg").read_bytes())


@pytest.fixture(scope="session")
def hopper(portraits: Path) -> Picture:
    return read_photo((portraits / "hopper.jpg").read_bytes())


@pytest.fixture(scope="session")
def astronaut_face(engine: FaceEngine, astronaut: Picture) -> Face:
    (face,) = engine.analyse(astronaut, photo=True)
    return face


@pytest.fixture(scope="session")
def hopper_face(engine: FaceEngine, hopper: Picture) -> Face:
    (face,) = engine.analyse(hopper, photo=True)
    return face
