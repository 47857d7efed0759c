"""The bytes of fragments: the newest in memory, the others in files."""

from collections.abc import Callable
from pathlib import Path

_SUFFIX = ".cluster"


class Shelf:
    """Not safe for threads, but `path` may be read while another fragment is put.

    `folder` is asked for when a file is needed for the first time, and not before. With `keeps` every
    fragment has a file before `put` returns, and memory only saves the reading.
    """

    def __init__(self, folder: Callable[[], Path], memory_bytes: int, *, keeps: bool = False) -> None:
        self._new_folder = folder
        self._folder: Path | None = None
        self._memory_bytes = memory_bytes
        self._keeps = keeps
        self._in_memory: dict[str, bytes] = {}
        self._bytes_in_memory = 0

    def put(self, number: str, media: bytes) -> None:
        """OSError when there is no room for it; then it is not here."""
        if self._keeps:
            self._write(number, media)
        self._in_memory[number] = media
        self._bytes_in_memory += len(media)
        try:
            while self._bytes_in_memory > self._memory_bytes and len(self._in_memory) > 1:
                self._spill(next(iter(self._in_memory)))
        except OSError:
            self.drop(number)
            raise

    def in_memory(self, number: str) -> bytes | None:
        return self._in_memory.get(number)

    def path(self, number: str) -> Path | None:
        """Where the bytes are, or were, if not in memory."""
        return self._folder / f"{number}{_SUFFIX}" if self._folder else None

    def drop(self, number: str) -> None:
        media = self._in_memory.pop(number, None)
        if media is not None:
            self._bytes_in_memory -= len(media)
        if (media is None or self._keeps) and (path := self.path(number)):
            path.unlink(missing_ok=True)

    def forget_memory(self) -> None:
        self._in_memory.clear()
        self._bytes_in_memory = 0

    def numbers_in_files(self) -> set[str]:
        """What an earlier runtime left in the folder."""
        self._folder = self._folder or self._new_folder()
        if not self._folder.is_dir():
            return set()
        return {file.name.removesuffix(_SUFFIX) for file in self._folder.iterdir()}

    def _spill(self, number: str) -> None:
        if not self._keeps:
            self._write(number, self._in_memory[number])
        self._bytes_in_memory -= len(self._in_memory.pop(number))

    def _write(self, number: str, media: bytes) -> None:
        self._folder = self._folder or self._new_folder()
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{number}{_SUFFIX}"
        try:
            file.write_bytes(media)
        except OSError:
            file.unlink(missing_ok=True)
            raise
