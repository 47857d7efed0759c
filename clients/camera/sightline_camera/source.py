"""The video that a camera sends: a file, once or for ever."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sightline_media import Fragment, move, remux


def file_fragments(
    path: str | Path, *, loop: bool, read: Callable[[str | Path], Iterator[Fragment]] = remux
) -> Iterator[Fragment]:
    """The fragments of a file; with `loop` again and again, the timecodes going on."""
    shift_ms = 0
    while True:
        end_ms = shift_ms
        for fragment in read(path):
            moved = move(fragment, shift_ms) if shift_ms else fragment
            end_ms = moved.first_frame_ms + moved.duration_ms
            yield moved
        # A last frame without a duration would put the next first frame on top of it.
        shift_ms = max(end_ms, shift_ms + 1)
        if not loop:
            return
