"""A folder for everything temporary of one run of the program."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt

PREFIX = "sightline-"
LOCK = ".lock"
# The demo's clip, logs and evidence, and room to breathe; video of long runs needs more.
ROOM_BYTES = 64 << 20


@contextmanager
def temporary_folder(interrupt: Interrupt) -> Iterator[Path]:
    """Give a folder that goes away at the end, also when somebody insists on the end.

    What this process keeps in temporary files lies in it, too; what a killed run left is removed first.
    """
    place = _place()
    check_room(place)
    remove_abandoned(place)
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        interrupt.temporary.append(folder)
        tempfile.tempdir = name
        try:
            with _locked(folder):
                yield folder
        finally:
            tempfile.tempdir = before


def check_room(folder: Path) -> None:
    """Refuse a folder that cannot be written, or whose disk is full; it need not exist yet."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise CliError(f"{folder}: cannot be written")
    if (free := shutil.disk_usage(there).free) < ROOM_BYTES:
        line = f"{folder}: only {free / (1 << 20):.0f} MiB free there, {ROOM_BYTES >> 20} are needed"
        raise CliError(line)


def remove_abandoned(place: Path) -> None:
    """Remove the folders whose programs were killed: nobody holds their locks any more."""
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        try:
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # in use, or somebody else's


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Locked before it gets its name: a lock that can be seen is held as long as its program lives.
    unnamed = folder / (LOCK + ".new")
    with unnamed.open("w") as lock:
        with suppress(OSError):  # a file system without locks: then nobody can take it for abandoned
            fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(folder / LOCK)
        yield


def _place() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise CliError("no folder for temporary files can be written: make room, or set TMPDIR") from error
