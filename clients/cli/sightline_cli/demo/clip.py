"""The demo's own video: an empty room, a stranger, the enrolled person, both, and the empty room again."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, FRAMES_PER_SECOND, SECONDS = 640, 360, 15, 14
ENROLLED, STRANGER = "astronaut", "hopper"
ENROLLED_NAME = "Eileen Collins"

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Walk:
    """One portrait crosses the room; size and place go evenly from the first value to the second (pixels)."""

    portrait: str
    seconds: tuple[float, float]
    height: tuple[int, int]
    left: tuple[int, int]
    top: tuple[int, int]

    def at(self, second: float) -> tuple[int, int, int]:
        """Height, left and top at a moment of the clip."""
        share = (second - self.seconds[0]) / (self.seconds[1] - self.seconds[0])
        height, left, top = (
            round(first + (last - first) * share) for first, last in (self.height, self.left, self.top)
        )
        return height, left, top


# Faces are a third of a portrait's height: no one is ever under the 70 px that leave the detector some room.
WALKS = (
    Walk(STRANGER, (2, 6), height=(240, 300), left=(400, 60), top=(100, 60)),
    Walk(ENROLLED, (6, 11), height=(230, 340), left=(20, 330), top=(110, 20)),
    Walk(ENROLLED, (11, 13), height=(320, 300), left=(330, 360), top=(40, 60)),
    Walk(STRANGER, (11, 13), height=(280, 300), left=(20, 60), top=(80, 60)),
)


def enrolment_photo() -> bytes:
    """The JPEG from which the demo enrols its person."""
    return portrait_bytes(ENROLLED)


def portrait_bytes(name: str) -> bytes:
    return files("sightline_cli").joinpath("portraits", f"{name}.jpg").read_bytes()


def write_demo_clip(path: Path, check: Callable[[], None] = lambda: None) -> None:
    """Write the clip as H.264 in Matroska, a group of pictures a second; `check` may raise between frames."""
    options = {"preset": "veryfast", "tune": "zerolatency", "crf": "24", "bf": "0", "sc_threshold": "0"}
    with av.open(str(path), "w", format="matroska") as container:
        stream: Any = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = FRAMES_PER_SECOND
        for number, picture in enumerate(_pictures()):
            check()
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pictures() -> Iterator[Rgb]:
    room, random = _room(), np.random.default_rng(7)
    # One field of noise, shifted anew for each frame: as lively as fresh noise, and much faster.
    noise = random.normal(0, 6, (HEIGHT * 2, WIDTH * 2, 3)).astype(np.float32)
    for number in range(SECONDS * FRAMES_PER_SECOND):
        second = number / FRAMES_PER_SECOND
        picture = np.asarray(_with_people(room, second), dtype=np.float32)
        down, right = random.integers(0, HEIGHT), random.integers(0, WIDTH)
        drift = 1 + 0.1 * math.sin(second * 0.7)
        picture = picture * drift + noise[down : down + HEIGHT, right : right + WIDTH]
        yield np.clip(picture, 0, 255).astype(np.uint8)


def _with_people(room: Image.Image, second: float) -> Image.Image:
    picture = room.copy()
    for walk in WALKS:
        if walk.seconds[0] <= second < walk.seconds[1]:
            height, left, top = walk.at(second)
            person, mask = _cut_out(walk.portrait)
            size = (round(height * person.width / person.height), height)
            angle = 3 * math.sin(second * 2.1)
            person = person.resize(size, Image.Resampling.BICUBIC).rotate(angle, Image.Resampling.BICUBIC)
            picture.paste(person, (left, top), mask.resize(size).rotate(angle))
    return picture


@cache
def _cut_out(name: str) -> tuple[Image.Image, Image.Image]:
    """A portrait and the soft-edged mask that puts it into the room."""
    person = Image.open(BytesIO(portrait_bytes(name))).convert("RGB")
    mask = Image.new("L", person.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((3, 3, person.width - 4, person.height - 4), 24, fill=255)
    return person, mask.filter(ImageFilter.GaussianBlur(3))


def _room() -> Image.Image:
    """A plain entrance hall: wall, floor, a door."""
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    columns = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
    wall = np.array([150, 146, 138], dtype=np.float32) * (0.75 + 0.25 * rows) * (1 - 0.15 * columns**2)
    room = Image.fromarray(wall.astype(np.uint8))
    draw = ImageDraw.Draw(room)
    draw.rectangle((0, 290, WIDTH, HEIGHT), fill=(96, 84, 72))
    draw.rectangle((250, 70, 390, 290), fill=(104, 92, 80), outline=(70, 62, 54), width=4)
    draw.ellipse((366, 180, 376, 190), fill=(190, 170, 110))
    return room.filter(ImageFilter.GaussianBlur(1))
