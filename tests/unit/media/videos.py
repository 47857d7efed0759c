"""Small videos, made by a real encoder."""

import io
from collections.abc import Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from sightline_media import Fragment, FragmentReader


def picture(number: int, width: int = 96, height: int = 64) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A grey picture whose brightness tells its number."""
    return np.full((height, width, 3), 20 + number * 7 % 200, np.uint8)


def make_video(
    path: Path,
    *,
    seconds: float = 4.0,
    fps: int = 10,
    gop_seconds: float = 1.0,
    codec: str = "libx264",
    b_frames: int = 0,
    container: str | None = None,
    start_seconds: float = 0.0,
    key_frames: Sequence[float] = (),
) -> Path:
    """Encode a video with key frames every `gop_seconds`, or exactly at `key_frames`."""
    options = {
        "g": "10000" if key_frames else str(round(fps * gop_seconds)),
        "sc_threshold": "0",
        "bf": str(b_frames),
    }
    if codec == "libx264":
        options |= {"preset": "veryfast", "keyint_min": "1", "forced-idr": "1"}
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts = number + round(start_seconds * fps)
            frame.time_base = Fraction(1, fps)
            if number / fps in key_frames:
                frame.pict_type = av.video.frame.PictureType.I
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def make_sound(path: Path) -> Path:
    """A file with sound only."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        for number in range(8):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, number * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def join_files(path: Path, *parts: Path) -> None:
    """One file with the first stream of each of these, in this order."""
    with ExitStack() as stack:
        inputs = [stack.enter_context(av.open(str(part))) for part in parts]
        output = stack.enter_context(av.open(str(path), "w"))
        # Every stream has to be there before the first packet.
        streams = [output.add_stream_from_template(source.streams[0]) for source in inputs]
        for source, stream in zip(inputs, streams, strict=True):
            for packet in source.demux(source.streams[0]):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)


def read_all(data: bytes, **options: Any) -> list[Fragment]:
    """All fragments of complete Matroska bytes."""
    reader = FragmentReader(**options)
    return reader.feed(data) + reader.finish()


def packet_count(source: Path | bytes) -> int:
    """How many frames a file stores."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
        return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
