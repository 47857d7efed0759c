from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline_faces import PhotoError, read_photo


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def a_red_and_blue_image(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (60, 30), "red")
    image.paste("blue", (30, 0, 60, 30))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_every_kind_of_png_becomes_red_green_blue(mode: str) -> None:
    picture = read_photo(encoded(a_red_and_blue_image(mode), "PNG"))

    assert picture.shape == (30, 60, 3)
    assert picture[15, 5].tolist() == [255, 0, 0]
    assert picture[15, 55].tolist() == [0, 0, 255]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_printers_jpegs_are_read(mode: str) -> None:
    assert read_photo(encoded(a_red_and_blue_image(mode), "JPEG")).shape == (30, 60, 3)


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to the right

    picture = read_photo(encoded(a_red_and_blue_image(), "JPEG", exif=exif))

    assert picture.shape == (60, 30, 3)
    assert picture[5, 15, 0] > 200
    assert picture[55, 15, 2] > 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_very_large_photo_is_scaled_down_in_proportion(kind: str) -> None:
    picture = read_photo(encoded(Image.new("RGB", (4000, 3000)), kind))

    assert picture.shape == (1440, 1920, 3)


@pytest.mark.parametrize("junk", [b"", b"not a picture", encoded(Image.new("RGB", (9, 9)), "GIF")])
def test_what_is_no_jpeg_or_png_is_refused(junk: bytes) -> None:
    with pytest.raises(PhotoError, match="not a JPEG or PNG"):
        read_photo(junk)


@pytest.mark.parametrize("name", ["astronaut.jpg"])
def test_half_a_photo_is_refused(portraits: Path, name: str) -> None:
    whole = (portraits / name).read_bytes()

    with pytest.raises(PhotoError, match="damaged"):
        read_photo(whole[: len(whole) // 2])


def test_half_a_png_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), "PNG")

    with pytest.raises(PhotoError, match="damaged"):
        read_photo(whole[: len(whole) // 2])


def test_a_picture_made_to_fill_the_memory_is_refused() -> None:
    bomb = encoded(Image.new("1", (9_500, 9_400)), "PNG")

    with pytest.raises(PhotoError, match="at most 89000000 are read"):
        read_photo(bomb)
