"""MP4 files out of fragments, and one MP4 out of several; no frame is encoded again."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import av
from av.error import FFmpegError

from sightline_media.errors import UnsupportedVideoError
from sightline_media.fragment import Fragment
from sightline_media.writer import move

# What an MP4 file may hold as it stands in a fragment.
_VIDEO_CODECS = ("h264", "hevc")
_AUDIO_CODECS = ("aac",)


def write_mp4(fragments: Sequence[Fragment]) -> bytes:
    """One file of the fragments' frames; their timecodes are one time line, which the file begins at 0.

    UnsupportedVideoError when the fragments are not H.264 or H.265.
    """
    first = min(fragment.first_frame_ms for fragment in fragments)
    clusters = b"".join(move(fragment, -first).cluster for fragment in fragments)
    return _muxed([(0.0, fragments[0].header + clusters, "matroska")])


def join_mp4(parts: Iterable[tuple[float, bytes]]) -> bytes:
    """One file of several; each part comes with its start in seconds on the time line of the whole.

    What a part repeats of the one before it is left out. UnsupportedVideoError for bytes that are no MP4.
    """
    return _muxed([(start, data, "mp4") for start, data in parts])


def _muxed(parts: Sequence[tuple[float, bytes, str]]) -> bytes:
    out = io.BytesIO()
    try:
        with av.open(out, "w", format="mp4") as output:
            tracks: dict[str, _Track] = {}
            for start, data, container in parts:
                _add_part(output, tracks, start, data, container)
    except (FFmpegError, ValueError) as error:
        raise UnsupportedVideoError(f"no MP4 can be made of it: {error}") from None
    return out.getvalue()


class _Track:
    """One track of the output and how far it is."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._last_seconds = float("-inf")

    def place(self, packet: Any, start: float) -> bool:
        """Move the packet to its place; False if the track already has what it shows."""
        shift = round(start / packet.time_base)
        seconds = float((packet.dts + shift) * packet.time_base)
        if seconds <= self._last_seconds:
            return False
        self._last_seconds = seconds
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts += shift
        packet.stream = self.stream
        return True


def _add_part(output: Any, tracks: dict[str, _Track], start: float, data: bytes, container: str) -> None:
    with av.open(io.BytesIO(data), format=container) as source:
        if not tracks:
            tracks.update(
                {each.type: _Track(output.add_stream_from_template(each)) for each in _chosen(source)}
            )
        streams = [stream for stream in _chosen(source) if stream.type in tracks]
        for packet in source.demux(streams):
            # The last packet of a demuxer is an empty one that says "no more".
            if packet.size and packet.dts is not None and tracks[packet.stream.type].place(packet, start):
                output.mux(packet)


def _chosen(source: Any) -> list[Any]:
    """The video track, and the first audio track if MP4 can carry it."""
    video = [each for each in source.streams.video if each.codec_context.name in _VIDEO_CODECS]
    if not video:
        raise UnsupportedVideoError("no MP4 can be made of it: it has no H.264 or H.265 video")
    audio = [each for each in source.streams.audio if each.codec_context.name in _AUDIO_CODECS]
    return video[:1] + audio[:1]
