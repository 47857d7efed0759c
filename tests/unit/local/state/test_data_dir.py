"""The folder of the state: refusals in one line each."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sightline_local.state import Facts
from sightline_local.state.data_dir import DataDirError, kept_in, reset
from sightline_local.template.scope import StackIdentity

MINE = StackIdentity("sightline", "us-east-1", "123456789012")
HOLDS = """
import sys; from pathlib import Path
from sightline_local.state.data_dir import kept_in
from sightline_local.template.scope import StackIdentity
with kept_in(Path(sys.argv[1]), StackIdentity("sightline", "us-east-1", "123456789012")) as facts:
    facts.put("item", "a", b"1")
    print("ready", flush=True)
    sys.stdin.read()
"""


def opened(folder: Path, identity: StackIdentity = MINE) -> list[tuple[str, bytes]]:
    with kept_in(folder, identity) as facts:
        return facts.all("item")


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"

    with kept_in(folder, MINE) as facts:
        facts.put("item", "a", b"1")

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert opened(folder) == [("a", b"1")]


def test_no_folder_keeps_nothing() -> None:
    with kept_in(None, MINE) as facts:
        assert not facts.keeps


def test_a_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"ready\n"
        for use in (opened, reset):
            with pytest.raises(DataDirError, match="another runtime uses this data directory"):
                use(tmp_path / "data")
        first.kill()
        first.wait()

    assert opened(tmp_path / "data") == [("a", b"1")]


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(0o755)

    with pytest.raises(DataDirError, match="holds other files"):
        opened(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    with pytest.raises(DataDirError, match="no data directory"):
        reset(tmp_path)


@pytest.mark.parametrize("garbage", [b"no database at all" * 1000, b""])
def test_a_damaged_file_is_one_line_or_is_new(garbage: bytes, tmp_path: Path) -> None:
    opened(tmp_path / "data")
    (tmp_path / "data/facts.sqlite").write_bytes(garbage)

    if garbage:
        with pytest.raises(DataDirError, match="damaged") as refused:
            opened(tmp_path / "data")
        assert "\n" not in str(refused.value)
    else:
        assert opened(tmp_path / "data") == []


def test_a_newer_format_and_another_stack_are_refused_by_name(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(DataDirError, match="belongs to the stack sightline, not other"):
        opened(tmp_path, StackIdentity("other", "us-east-1", "123456789012"))
    facts = Facts(tmp_path / "facts.sqlite")
    facts.put("data-dir", "about", b'{"format": 999}')
    facts.close()

    with pytest.raises(DataDirError, match="made by a newer version"):
        opened(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataDirError, match="file"):
        opened(tmp_path / "file")


def test_reset_removes_the_folder_and_only_a_data_directory(tmp_path: Path) -> None:
    with kept_in(tmp_path / "data", MINE) as facts:
        assert facts.folder is not None
        (facts.folder / "objects").mkdir()

    reset(tmp_path / "data")

    assert not (tmp_path / "data").exists()
    with pytest.raises(DataDirError, match="no data directory"):
        reset(tmp_path / "data")
