"""The folder for everything temporary."""

import os
import signal
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from sightline_cli import temporary
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.temporary import check_room, temporary_folder

HOLD = """
import time
from sightline_cli.interrupts import Interrupt
from sightline_cli.temporary import temporary_folder
with temporary_folder(Interrupt()) as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


def test_every_temporary_file_of_the_program_lies_in_it_and_goes_with_it(place: Path) -> None:
    with temporary_folder(Interrupt()) as folder:
        spilled = Path(tempfile.mkdtemp())
        assert folder.parent == place
        assert spilled.parent == folder

    assert list(place.iterdir()) == []
    assert tempfile.gettempdir() == str(place)


def test_what_a_killed_program_left_is_removed_and_what_a_running_one_uses_is_not(place: Path) -> None:
    (place / "sightline-of-somebody-else").mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        left = Path(program.stdout.readline().strip())

        with temporary_folder(Interrupt()):
            assert left.exists()
        os.kill(program.pid, signal.SIGKILL)
        program.wait(5)
        assert left.exists()
        with temporary_folder(Interrupt()):
            assert not left.exists()

    assert [each.name for each in place.iterdir()] == ["sightline-of-somebody-else"]


def test_a_disk_without_room_is_one_line_that_names_the_folder(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(temporary.shutil, "disk_usage", lambda _: usage(3 << 20))

    with pytest.raises(CliError, match="only 3 MiB free there, 64 are needed"):
        check_room(place / "not" / "yet" / "there")


def test_a_place_that_is_no_folder_is_refused(place: Path) -> None:
    (place / "file").touch()

    with pytest.raises(CliError, match="cannot be written"):
        check_room(place / "file" / "below")
