"""The bytes of fragments: the newest in memory, the others in files."""

from collections.abc import Callable
from pathlib import Path


class Shelf:
    """Not safe for threads, but `path` may be read while another fragment is put.

    `folder` is asked for when the memory is full for the first time, and not before.
    """

    def __init__(self, folder: Callable[[], Path], memory_bytes: int) -> None:
        self._new_folder = folder
        self._folder: Path | None = None
        self._memory_bytes = memory_bytes
        self._in_memory: dict[str, bytes] = {}
        self._bytes_in_memory = 0

    def put(self, number: str, media: bytes) -> None:
        self._in_memory[number] = media
        self._bytes_in_memory += len(media)
        while self._bytes_in_memory > self._memory_bytes and len(self._in_memory) > 1:
            self._spill(next(iter(self._in_memory)))

    def in_memory(self, number: str) -> bytes | None:
        return self._in_memory.get(number)

    def path(self, number: str) -> Path | None:
        """Where the bytes are, or were, if not in memory."""
        return self._folder / f"{number}.cluster" if self._folder else None

    def drop(self, number: str) -> None:
        media = self._in_memory.pop(number, None)
        if media is not None:
            self._bytes_in_memory -= len(media)
        elif path := self.path(number):
            path.unlink(missing_ok=True)

    def _spill(self, number: str) -> None:
        if self._folder is None:
            self._folder = self._new_folder()
            self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{number}.cluster").write_bytes(self._in_memory[number])
        self._bytes_in_memory -= len(self._in_memory.pop(number))
