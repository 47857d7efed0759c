"""The fragments of one video stream, oldest to newest, and the readers that wait for the next one."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from time import monotonic

from sightline_local.cloud.kinesisvideo.fragment_number import FragmentNumbers
from sightline_local.cloud.kinesisvideo.kept_video import KeptFragments, StoredFragment
from sightline_local.cloud.kinesisvideo.shelf import Shelf
from sightline_local.state import FactsNotKeptError

BUFFER_SECONDS = 300.0
BUFFER_BYTES = 200_000_000
"""What KVS keeps readable of a stream without retention."""


class StreamGoneError(Exception):
    """The stream was deleted, or the store closed."""


class FragmentNotKeptError(Exception):
    """There is no room for another fragment."""


@dataclass(frozen=True, slots=True)
class NewFragment:
    """A fragment as it came in; `header` is what its file has in front of the cluster."""

    header: bytes
    media: bytes
    producer_time: float
    duration_ms: int


class FragmentRing:
    """Safe for one writer and many readers."""

    def __init__(
        self,
        folder: Callable[[], Path],
        memory_bytes: int,
        clock: Callable[[], float],
        kept: KeptFragments | None = None,
    ) -> None:
        self._clock = clock
        self._numbers = FragmentNumbers()
        self._keys: list[int] = []
        self._fragments: list[StoredFragment] = []
        self._shelf = Shelf(folder, memory_bytes, keeps=kept is not None)
        self._kept = kept
        self._bytes = 0
        self._changed = Condition()
        self._closed = False
        if kept:
            self._restore(kept)

    def _restore(self, kept: KeptFragments) -> None:
        """Only what has its fact and its file was acknowledged, or is still to be had."""
        fragments, files = kept.all(), self._shelf.numbers_in_files()
        self._fragments = [fragment for fragment in fragments if fragment.number in files]
        self._keys = [int(fragment.number) for fragment in self._fragments]
        self._bytes = sum(fragment.size_bytes for fragment in self._fragments)
        for number in files.difference(fragment.number for fragment in fragments):
            self._shelf.drop(number)
        kept.forget([fragment.number for fragment in fragments if fragment.number not in files])
        if fragments:
            self._numbers.follow(fragments[-1].number)

    def next_number(self) -> str:
        return self._numbers.next(int(self._clock() * 1000))

    def append(self, number: str, new: NewFragment, retention_hours: int) -> StoredFragment:
        """Keep a fragment, wake the readers, let go of what is too old; FragmentNotKeptError without room."""
        size = len(new.header) + len(new.media)
        now = round(self._clock(), 3)
        stored = StoredFragment(number, now, new.producer_time, new.duration_ms, size, new.header)
        with self._changed:
            self._refuse_if_closed()
            self._keep(stored, new.media)
            self._keys.append(int(number))
            self._fragments.append(stored)
            self._bytes += size
            self._expire(now, retention_hours)
            self._changed.notify_all()
        return stored

    def _keep(self, stored: StoredFragment, media: bytes) -> None:
        try:
            self._shelf.put(stored.number, media)
            if self._kept:
                self._kept.keep(stored)
        except (OSError, FactsNotKeptError) as error:
            self._shelf.drop(stored.number)
            raise FragmentNotKeptError(str(error)) from error

    def wait_after(self, number: int, seconds: float) -> StoredFragment | None:
        """The oldest fragment with a greater number, waiting for it that long."""
        deadline = monotonic() + seconds
        with self._changed:
            while True:
                self._refuse_if_closed()
                at = bisect_right(self._keys, number)
                if at < len(self._fragments):
                    return self._fragments[at]
                left = deadline - monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def newest_number(self) -> int:
        with self._changed:
            return self._keys[-1] if self._keys else 0

    def fragments(self) -> list[StoredFragment]:
        with self._changed:
            return list(self._fragments)

    def find(self, number: str) -> StoredFragment | None:
        with self._changed:
            key = int(number)
            at = bisect_left(self._keys, key)
            return self._fragments[at] if at < len(self._keys) and self._keys[at] == key else None

    def media(self, fragment: StoredFragment) -> bytes | None:
        """The bytes of a fragment; None when it has been let go of meanwhile."""
        with self._changed:
            media, path = self._shelf.in_memory(fragment.number), self._shelf.path(fragment.number)
        if media is not None or path is None:
            return media
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def expire(self, retention_hours: int) -> None:
        with self._changed:
            self._expire(self._clock(), retention_hours)

    def forget(self) -> None:
        """The stream is deleted: remove its files; readers that wait are told so."""
        with self._changed:
            for fragment in self._fragments:
                self._shelf.drop(fragment.number)
        self.close()

    def close(self) -> None:
        """Leave the files to whom they belong; readers that wait are told so."""
        with self._changed:
            self._closed = True
            self._shelf.forget_memory()
            self._fragments, self._keys = [], []
            self._changed.notify_all()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StreamGoneError

    def _expire(self, now: float, retention_hours: int) -> None:
        limit = now - (retention_hours * 3600 if retention_hours else BUFFER_SECONDS)
        gone: list[str] = []
        for fragment in self._fragments:
            is_too_much = not retention_hours and self._bytes > BUFFER_BYTES
            if fragment.server_time >= limit and not is_too_much:
                break
            self._bytes -= fragment.size_bytes
            self._shelf.drop(fragment.number)
            gone.append(fragment.number)
        del self._fragments[: len(gone)], self._keys[: len(gone)]
        if self._kept and gone:
            self._kept.forget(gone)
