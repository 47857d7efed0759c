"""What the service's package holds."""

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

FLINK = Path(__file__).parents[3] / "analytics" / "flink"


@pytest.fixture(scope="module")
def package() -> ModuleType:
    spec = importlib.util.spec_from_file_location("flink_package", FLINK / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    file = tmp_path / "some.jar"
    file.write_bytes(b"classes")
    return file


def test_it_is_the_program_every_statement_and_the_one_jar(
    package: ModuleType, jar: Path, tmp_path: Path
) -> None:
    package.write(jar, tmp_path / "made.zip")

    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        statements = {f"sql/{file.name}" for file in (FLINK / "sql").iterdir()}
        assert {*made.namelist()} == {"main.py", "lib/pyflink-dependencies.jar"} | statements
        assert made.read("lib/pyflink-dependencies.jar") == b"classes"
        assert made.read("main.py") == (FLINK / "main.py").read_bytes()


def test_the_same_files_make_the_same_bytes(package: ModuleType, jar: Path, tmp_path: Path) -> None:
    package.write(jar, tmp_path / "one.zip")
    jar.touch()
    package.write(jar, tmp_path / "two.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
