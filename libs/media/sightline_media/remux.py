"""A video file as fragments, without encoding it again: one per group of pictures (GOP), or a few short ones.

PyAV reads the container, ffmpeg's Matroska muxer converts Annex B to AVCC; what the muxer writes comes back
through our own reader, so a fragment is the same thing here as on the wire.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from sightline_media.errors import UnsupportedVideoError
from sightline_media.fragment import Fragment
from sightline_media.gops import Gop, read_gops
from sightline_media.limits import MAX_FRAGMENT_MS, MIN_FRAGMENT_MS
from sightline_media.reader import FragmentReader
from sightline_media.writer import join

# live: a sink that cannot seek; dash: a cluster for every key frame, also for GOPs under 4 kB.
_MUXER_OPTIONS = {"live": "1", "dash": "1", "flush_packets": "1"}
# Timecodes are whole milliseconds: a GOP of exactly one second may look a little shorter.
_ROUNDING_MS = 5


def remux(path: str | Path) -> Iterator[Fragment]:
    """Cut a file into H.264 fragments at its key frames, 1 to 20 s each, timecodes from 0.

    UnsupportedVideoError, one line, when it is no video, not H.264, or has key frames too far apart.
    """
    name = Path(path).name
    with _opened(Path(path)) as container:
        stream = _h264_stream(container, name)
        yield from _joined(_fragments(read_gops(container, stream, name), stream))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.exists():
        raise UnsupportedVideoError(f"{path}: there is no such file")
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError, ValueError) as error:
        raise UnsupportedVideoError(
            f"{path.name} is not a video that can be read ({_reason(error)})"
        ) from None
    with container:
        # ffmpeg would show any text file as a film of its letters.
        if container.format.name == "tty":
            raise UnsupportedVideoError(f"{path.name} is not a video that can be read (it is text)")
        yield container


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _h264_stream(container: Any, name: str) -> Any:
    if not container.streams.video:
        raise UnsupportedVideoError(f"{name} has no video")
    codecs = [stream.codec_context.name for stream in container.streams.video]
    if "h264" not in codecs:
        raise UnsupportedVideoError(
            f"the video of {name} is {codecs[0]}, only H.264 can be streamed: "
            f"convert it, for example with ffmpeg -i {name} -c:v libx264 -bf 0 -g 50 -an converted.mp4"
        )
    return container.streams.video[codecs.index("h264")]


class _Sink:
    """Where the muxer writes; it has no seek, so the muxer streams."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken, self._written = bytes(self._written), bytearray()
        return taken


def _fragments(gops: Iterator[Gop], stream: Any) -> Iterator[Fragment]:
    """One fragment for each GOP, as the muxer writes it."""
    sink, reader = _Sink(), FragmentReader()
    with av.open(sink, "w", format="matroska", options=_MUXER_OPTIONS) as output:
        copy = output.add_stream_from_template(stream)
        for gop in gops:
            for packet in gop.packets:
                packet.stream = copy
                output.mux(packet)
            yield from reader.feed(sink.take())
    yield from reader.feed(sink.take())
    yield from reader.finish()


def _joined(fragments: Iterator[Fragment]) -> Iterator[Fragment]:
    """Join GOPs that are shorter than a fragment may be; the last, if short, goes to the one before it."""
    ready: Fragment | None = None
    group: list[Fragment] = []
    for fragment in fragments:
        if group and not _goes_with(group, fragment):
            if ready:
                yield ready
            ready, group = join(group), []
        group.append(fragment)
    last = join(group) if group else None
    if ready and last and last.duration_ms < MIN_FRAGMENT_MS - _ROUNDING_MS and _fits([ready, last]):
        ready, last = join([ready, last]), None
    yield from (fragment for fragment in (ready, last) if fragment)


def _goes_with(group: list[Fragment], fragment: Fragment) -> bool:
    is_short = fragment.first_frame_ms - group[0].first_frame_ms < MIN_FRAGMENT_MS - _ROUNDING_MS
    return is_short and _fits([*group, fragment])


def _fits(fragments: list[Fragment]) -> bool:
    return fragments[-1].last_frame_ms - fragments[0].first_frame_ms <= MAX_FRAGMENT_MS
