"""The folder of a runtime's state: one process at a time, one format, one stack."""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline_local.errors import LocalRuntimeError
from sightline_local.state.facts import Facts
from sightline_local.template.scope import StackIdentity

FORMAT = 1
_FACTS, _LOCK = "facts.sqlite", "in-use"
_KIND, _KEY = "data-dir", "about"


class DataDirError(LocalRuntimeError):
    """The data directory cannot be used; the message says why, and what to do."""


@contextmanager
def kept_in(folder: Path | None, identity: StackIdentity) -> Iterator[Facts]:
    """The facts of this folder, which is made if there is none; no folder: facts that keep nothing."""
    if folder is None:
        yield Facts.none()
        return
    _make(folder)
    with _alone(folder):
        facts = _open(folder)
        try:
            _check(folder, facts, identity)
            yield facts
        finally:
            facts.close()


def reset(folder: Path) -> None:
    """Remove everything that a runtime kept in the folder, and the folder; DataDirError if it is none."""
    if not (folder / _FACTS).is_file():
        raise DataDirError(f"{folder}: no data directory of a local runtime")
    with _alone(folder):
        shutil.rmtree(folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = not (folder / _FACTS).exists() and any(each.name != _LOCK for each in folder.iterdir())
        if not strangers:
            folder.chmod(0o700)  # it holds keys and passwords
    except OSError as error:
        raise DataDirError(f"{folder}: {error.strerror}") from error
    if strangers:
        raise DataDirError(f"{folder}: holds other files; --data-dir wants a folder of its own")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataDirError(f"{folder}: {error.strerror}") from error
    try:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
        except OSError as error:
            raise DataDirError(f"{folder}: another runtime uses this data directory") from error
        yield
    finally:
        os.close(lock)


def _open(folder: Path) -> Facts:
    try:
        return Facts(folder / _FACTS)
    except sqlite3.Error as error:
        raise DataDirError(
            f"{folder}: the data directory is damaged ({error}); sightline reset begins anew"
        ) from error


def _check(folder: Path, facts: Facts, identity: StackIdentity) -> None:
    mine = {
        "format": FORMAT,
        "stack": identity.name,
        "region": identity.region,
        "account": identity.account,
    }
    written = facts.get(_KIND, _KEY)
    if written is None:
        facts.put(_KIND, _KEY, json.dumps(mine).encode())
        return
    about = json.loads(written)
    if about["format"] != FORMAT:
        age = "a newer" if about["format"] > FORMAT else "an older"
        raise DataDirError(f"{folder}: made by {age} version; update, or sightline reset begins anew")
    for name in ("stack", "region", "account"):
        if about[name] != mine[name]:
            raise DataDirError(f"{folder}: belongs to the {name} {about[name]}, not {mine[name]}")
