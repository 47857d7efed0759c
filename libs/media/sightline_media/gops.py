"""The groups of pictures (GOPs) of a file, on one time line that begins at 0 and never goes back."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.error import FFmpegError

from sightline_media.errors import UnsupportedVideoError
from sightline_media.limits import MAX_FRAGMENT_MS

_MILLISECOND = Fraction(1, 1000)
# A step of the time stamps larger than any fragment is a cut, not a pause.
_LARGEST_STEP_MS = MAX_FRAGMENT_MS


@dataclass(frozen=True, slots=True)
class Gop:
    """The packets from one key frame up to the next, in decoding order, times in milliseconds."""

    packets: tuple[Any, ...]


def read_gops(container: Any, stream: Any, name: str) -> Iterator[Gop]:
    """Read the stream's GOPs; what stands before the first key frame cannot be decoded and is left out."""
    line = _TimeLine(stream)
    for packets in _grouped(container, stream, name, line):
        times = [time for _, time in packets]
        if max(times) - min(times) > MAX_FRAGMENT_MS:
            raise _too_long(name)
        yield line.place(packets)


def _grouped(container: Any, stream: Any, name: str, line: "_TimeLine") -> Iterator[list[tuple[Any, float]]]:
    group: list[tuple[Any, float]] = []
    for packet in _packets(container, stream, name):
        if packet.is_keyframe and group:
            yield group
            group = []
        if packet.is_keyframe or group:
            group.append((packet, line.milliseconds(packet, name)))
            # Reading on would fill the memory for a file without further key frames.
            if group[-1][1] - group[0][1] > 2 * MAX_FRAGMENT_MS:
                raise _too_long(name)
    if not group:
        raise UnsupportedVideoError(f"{name} has no key frame, so no decoder can start")
    yield group


def _packets(container: Any, stream: Any, name: str) -> Iterator[Any]:
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except FFmpegError as error:
        raise UnsupportedVideoError(f"{name} is damaged ({error.strerror})") from None


def _too_long(name: str) -> UnsupportedVideoError:
    return UnsupportedVideoError(
        f"the key frames of {name} are more than 20 s apart, which Kinesis Video Streams refuses: "
        f"encode it again, for example with ffmpeg -i {name} -c:v libx264 -bf 0 -g 50 -an shorter.mp4"
    )


class _TimeLine:
    """Moves the GOPs so that time begins at 0 and goes on where a file's time stamps jump."""

    def __init__(self, stream: Any) -> None:
        rate = stream.average_rate or stream.guessed_rate or 25
        self._frame_ms = float(1000 / rate)
        self._has_b_frames = bool(stream.codec_context.has_b_frames)
        self._count = 0
        self._shift_ms: float | None = None
        self._last_ms = 0.0

    def milliseconds(self, packet: Any, name: str) -> float:
        """The file's own time of a frame; a raw H.264 file has none, its frames are counted."""
        self._count += 1
        if packet.pts is not None:
            return float(packet.pts * packet.time_base * 1000)
        if self._has_b_frames:
            raise UnsupportedVideoError(
                f"{name} does not say when its frames are shown; put it into an MP4 file first"
            )
        if packet.dts is not None:
            return float(packet.dts * packet.time_base * 1000)
        return (self._count - 1) * self._frame_ms

    def place(self, packets: list[tuple[Any, float]]) -> Gop:
        first, last = min(time for _, time in packets), max(time for _, time in packets)
        if self._shift_ms is None:
            self._shift_ms = -first
        step = first + self._shift_ms - self._last_ms
        is_jump = self._last_ms > 0 and not 0 < step <= _LARGEST_STEP_MS
        if is_jump:
            self._shift_ms += self._frame_ms - step
        self._last_ms = last + self._shift_ms
        for packet, time in packets:
            packet.duration = round((packet.duration or 0) * packet.time_base * 1000)
            packet.time_base = _MILLISECOND
            packet.pts = round(time + self._shift_ms)
            # Matroska stores no decoding times; the muxer only asks that they neither go back nor pass pts.
            packet.dts = round(first + self._shift_ms)
        return Gop(tuple(packet for packet, _ in packets))
