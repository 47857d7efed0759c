"""`sightline reset`: it asks, and removes nothing that is not its own."""

import io
from pathlib import Path

import pytest

from sightline_cli.app import main
from sightline_cli.errors import INTERRUPTED


class Terminal(io.StringIO):
    """Somebody who types an answer."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from sightline_local.state import Facts

    (tmp_path / "data").mkdir()
    Facts(tmp_path / "data/facts.sqlite").close()
    return tmp_path / "data"


def test_yes_removes_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))

    assert main(["reset", "--data-dir", str(folder)]) == 0
    assert not folder.exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_anything_else_leaves_it(answer: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    assert main(["reset", "--data-dir", str(folder)]) == INTERRUPTED
    assert folder.exists()


def test_a_folder_of_something_else_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "holiday.jpg").touch()

    assert main(["reset", "--data-dir", str(tmp_path), "--yes"]) == 1

    assert capsys.readouterr().err == f"sightline: {tmp_path}: no data directory of a local runtime\n"
    assert (tmp_path / "holiday.jpg").exists()
