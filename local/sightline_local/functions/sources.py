"""Notices that the code of a function changed: its own folder, and those of its layers."""

import importlib.util
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

_CODE = (".py", ".so")
_REST = 5  # a look that took 0.1 ms is not repeated for 0.5 ms: warm invocations share its cost
_LONG_SECONDS, _LONG_REST = 0.002, 50  # of folders with thousands of files

_State = tuple[int, int, int]  # of a file or folder: time of change, size, inode


class Sources:
    """What was there when the function was deployed, and code that came later.

    Other new files are the function's own doing: on AWS it could not write here at all.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots = [str(folder) for folder in folders]
        self._lock = Lock()
        self._version = 0
        self._next_look = 0.0
        self._files: dict[str, _State | None] = {}
        self._folders: dict[str, _State | None] = {}
        self._scan(lambda _name: True)

    def version(self) -> int:
        """Another number when something changed since the last call."""
        if time.monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                began = time.thread_time()
                self._look()
                took = time.thread_time() - began
                self._next_look = time.monotonic() + took * (_REST if took < _LONG_SECONDS else _LONG_REST)
            finally:
                self._lock.release()
        return self._version

    def _look(self) -> None:
        changed = [path for path, state in self._files.items() if _state(path) != state]
        if changed or any(_state(path) != state for path, state in self._folders.items()):
            known = self._files
            self._scan(lambda path: path in known or path.endswith(_CODE))
            changed += [path for path in self._files if path not in known]
        if changed:
            self._version += 1
            _forget_compiled(changed)

    def _scan(self, counts: Callable[[str], bool]) -> None:
        self._files, self._folders = {}, {}
        for root in self._roots:
            for folder, names in _walk(root):
                self._folders[folder] = _state(folder)
                for name in names:
                    if counts(path := os.path.join(folder, name)):  # noqa: PTH118
                        self._files[path] = _state(path)


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name != "__pycache__" and not name.startswith(".")]
        yield folder, [name for name in names if not name.startswith(".") and not name.endswith(".pyc")]


def _state(path: str) -> _State | None:
    try:
        found = os.stat(path)  # noqa: PTH116  before every invocation
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _forget_compiled(paths: Iterable[str]) -> None:
    """A change within the same second that keeps the size: Python would take its cached bytecode for good."""
    for path in paths:
        if path.endswith(".py"):
            with suppress(OSError):
                Path(importlib.util.cache_from_source(path)).unlink()
