"""Changes of a function's code, as its folders show them."""

import os
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from sightline_local.functions.sources import Sources


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "handler.py").write_text("one")
    (tmp_path / "package" / "module.py").write_text("one")
    (tmp_path / "rules.json").write_text("{}")
    return tmp_path


@pytest.fixture
def sources(code: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setattr("sightline_local.functions.sources._REST", 0)
    return Sources([code])


def test_nothing_changed_is_the_same_version(sources: Sources) -> None:
    assert [sources.version() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("name", ["handler.py", "package/module.py", "rules.json"])
def test_another_content_is_another_version(code: Path, sources: Sources, name: str) -> None:
    os.utime(code / name, ns=(1, 1))

    assert [sources.version() for _ in range(2)] == [1, 1]


def test_a_file_that_was_replaced_counts_even_with_its_old_time(code: Path, sources: Sources) -> None:
    before = (code / "handler.py").stat()
    (code / "new").write_text("two")
    os.utime(code / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (code / "new").replace(code / "handler.py")

    assert sources.version() == 1


@pytest.mark.parametrize("name", ["other.py", "package/native.so", "further/deep/module.py"])
def test_new_code_counts(code: Path, sources: Sources, name: str) -> None:
    (code / name).parent.mkdir(parents=True, exist_ok=True)
    (code / name).write_text("")

    assert sources.version() == 1


@pytest.mark.parametrize(
    "name", ["note.txt", "__pycache__/handler.cpython-311.pyc", ".git/index.py", ".swp.py"]
)
def test_what_else_comes_into_the_folder_does_not_count(code: Path, sources: Sources, name: str) -> None:
    (code / name).parent.mkdir(exist_ok=True)
    (code / name).write_text("x")

    assert sources.version() == 0


def test_a_file_that_goes_counts(code: Path, sources: Sources) -> None:
    (code / "rules.json").unlink()

    assert [sources.version() for _ in range(2)] == [1, 1]


def test_cached_bytecode_of_changed_code_is_forgotten(code: Path, sources: Sources) -> None:
    cached = Path(cache_from_source(str(code / "handler.py")))
    cached.parent.mkdir()
    cached.write_bytes(b"old")
    os.utime(code / "handler.py", ns=(1, 1))

    sources.version()

    assert not cached.exists()


def test_a_folder_that_is_gone_is_a_change_and_no_failure(code: Path, sources: Sources) -> None:
    (code / "package" / "module.py").unlink()
    (code / "package").rmdir()

    assert sources.version() == 1
