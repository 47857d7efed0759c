"""Bytes as part of a fact or, when there are many, as a file beside the facts."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sightline_local.state.facts import Facts, FactsNotKeptError

_INLINE_BYTES = 256 * 1024


class Blobs:
    """A fact holds `add(body)`; the file is whole before the fact is there, and goes after it."""

    def __init__(self, facts: Facts, name: str) -> None:
        self._folder = (facts.folder or Path()) / name

    def add(self, body: bytes) -> bytes | str:
        """The body itself, or the name of its file."""
        if len(body) <= _INLINE_BYTES:
            return body
        name = uuid.uuid4().hex
        half = self._folder / f"{name}.half"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            half.write_bytes(body)
            half.rename(self._folder / name)
        except OSError as error:
            with suppress(OSError):
                half.unlink()
            raise FactsNotKeptError(f"{self._folder.parent}: {error.strerror}") from error
        return name

    def read(self, kept: bytes | str) -> bytes:
        return kept if isinstance(kept, bytes) else (self._folder / kept).read_bytes()

    def remove(self, kept: Iterable[bytes | str]) -> None:
        """Forget these, once no fact has them any more."""
        for name in kept:
            if isinstance(name, str):
                (self._folder / name).unlink(missing_ok=True)

    def keep_only(self, kept: Iterable[bytes | str]) -> None:
        """Remove what no fact has: the files of changes that were cut off."""
        wanted = {name for name in kept if isinstance(name, str)}
        if self._folder.is_dir():
            for file in self._folder.iterdir():
                if file.name not in wanted:
                    file.unlink()
