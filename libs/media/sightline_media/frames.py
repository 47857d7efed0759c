"""Pictures out of fragments, with PyAV; boxes and JPEG, with Pillow."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from PIL import Image, ImageDraw, ImageFont

from sightline_media.errors import UndecodableFragmentError
from sightline_media.fragment import Fragment

Rgb = npt.NDArray[np.uint8]  # height x width x 3

_BOX_COLOUR = (255, 64, 32)


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame, `offset_seconds` after the fragment's timecode."""

    offset_seconds: float
    rgb: Rgb


def decode_frames(fragment: Fragment, every_seconds: float | None = None) -> Iterator[Frame]:
    """Decode the fragment's frames in order of time: all, or the first of every `every_seconds`.

    A decoder may keep the last frame of a fragment to itself. UndecodableFragmentError: not one picture.
    """
    due, found = float("-inf"), False
    for offset, picture in _decoded(fragment):
        found = True
        # Half a millisecond: offsets are rounded to whole ones.
        if every_seconds is not None and offset < due - 0.0005:
            continue
        if every_seconds is not None:
            due = max(due, offset - offset % every_seconds) + every_seconds
        yield Frame(offset, picture.to_ndarray(format="rgb24"))
    if not found:
        raise _no_picture(fragment)


def decode_frame_at(fragment: Fragment, offset_seconds: float) -> Frame:
    """Decode the frame nearest to `offset_seconds` after the fragment's timecode."""
    best: tuple[float, Any] | None = None
    for offset, picture in _decoded(fragment):
        if best is not None and abs(offset - offset_seconds) > abs(best[0] - offset_seconds):
            break
        best = (offset, picture)
    if best is None:
        raise _no_picture(fragment)
    return Frame(best[0], best[1].to_ndarray(format="rgb24"))


def _no_picture(fragment: Fragment) -> UndecodableFragmentError:
    return UndecodableFragmentError(
        f"no picture can be decoded from fragment {fragment.number or ''}".rstrip()
    )


def _decoded(fragment: Fragment) -> Iterator[tuple[float, Any]]:
    """The pictures and their offsets in seconds; damaged frames are passed over, as a player does."""
    try:
        container = av.open(io.BytesIO(fragment.media), format="matroska")
    except (FFmpegError, OSError, ValueError) as error:
        raise UndecodableFragmentError(f"a fragment cannot be opened: {error}") from None
    with container:
        if not container.streams.video:
            raise UndecodableFragmentError("a fragment has no video")
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            yield from _pictures(packet, fragment.timecode_ms)


def _pictures(packet: Any, timecode_ms: int) -> Iterator[tuple[float, Any]]:
    try:
        pictures = packet.decode()
    except FFmpegError:
        return
    for picture in pictures:
        if picture.pts is not None:
            yield max(0.0, float(picture.pts * picture.time_base) - timecode_ms / 1000), picture


def draw_box(rgb: Rgb, box: tuple[float, float, float, float], label: str | None = None) -> Rgb:
    """Return a copy with the box (left, top, width, height as ratios 0-1 of the frame) drawn on it."""
    image = Image.fromarray(rgb)
    left, top, width, height = box
    line = max(2, image.height // 180)
    x, y = left * image.width, top * image.height
    corner = (x + width * image.width, y + height * image.height)
    draw = ImageDraw.Draw(image)
    draw.rectangle(((x, y), (max(x, corner[0]), max(y, corner[1]))), outline=_BOX_COLOUR, width=line)
    if label:
        _draw_label(draw, label, (x, y), image.height)
    return np.asarray(image).copy()


def _draw_label(draw: ImageDraw.ImageDraw, label: str, at: tuple[float, float], frame_height: int) -> None:
    font = ImageFont.load_default(size=max(12, frame_height // 28))
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    height = bottom - top + 6
    # Above the box, or inside it at the upper edge of the frame.
    y = at[1] - height if at[1] >= height else at[1]
    draw.rectangle(((at[0], y), (at[0] + right - left + 8, y + height)), fill=_BOX_COLOUR)
    draw.text((at[0] + 4 - left, y + 3 - top), label, fill=(255, 255, 255), font=font)


def shrink(rgb: Rgb, width: int) -> Rgb:
    """The picture at this width, or as it is if it is not wider."""
    image = Image.fromarray(rgb)
    image.thumbnail((width, image.height))
    return np.asarray(image).copy()


def encode_jpeg(rgb: Rgb, quality: int = 90) -> bytes:
    """JPEG bytes of a picture."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, format="JPEG", quality=quality)
    return out.getvalue()


def save_jpeg(path: Path, rgb: Rgb, quality: int = 90) -> None:
    """Write a picture as JPEG."""
    path.write_bytes(encode_jpeg(rgb, quality))
