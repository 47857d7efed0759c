import base64
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sightline.errors import RejectedError, TooLargeError
from sightline.watchlist.photo import MAX_PHOTO_BYTES, read_photo


def picture(kind: str, size: tuple[int, int] = (640, 480), **how: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "grey").save(buffer, kind, **how)
    return buffer.getvalue()


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    "content",
    [
        picture("PNG"),
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("JPEG", exif=b"Exif\x00\x00" + b"\xff" * 300),
        picture("JPEG")[:2] + b"\xff\xff" + picture("JPEG")[2:],
    ],
)
def test_a_jpeg_or_png_tells_its_size(content: bytes) -> None:
    photo = read_photo(text(content))

    assert (photo.width_px, photo.height_px) == (640, 480)
    assert photo.content == content


def test_base64_may_have_line_breaks() -> None:
    wrapped = base64.encodebytes(picture("PNG")).decode()

    assert read_photo(wrapped).content == picture("PNG")


@pytest.mark.parametrize(
    ("image", "detail"),
    [
        ("", "not a JPEG or PNG"),
        ("not base64!", "not base64"),
        ("data:image/png;base64,AAAA", "not base64"),
        ("Grüße", "not base64"),
        (text(b"GIF89a" + bytes(100)), "not a JPEG or PNG"),
        (text(b"\xff\xd8\xff"), "not a JPEG or PNG"),
        (text(picture("PNG")[:20]), "not a JPEG or PNG"),
        (text(picture("JPEG")[:30]), "not a JPEG or PNG"),
        (text(b"\xff\xd8\xff\xe0" + struct.pack(">H", 0) + bytes(50)), "not a JPEG or PNG"),
    ],
)
def test_what_is_no_picture_is_refused_in_plain_words(image: str, detail: str) -> None:
    with pytest.raises(RejectedError, match=detail):
        read_photo(image)


def test_a_photo_above_five_megabytes_is_too_large() -> None:
    content = picture("PNG") + bytes(MAX_PHOTO_BYTES)

    with pytest.raises(TooLargeError, match=r"5\.0 MB; 5 MB is the most"):
        read_photo(text(content))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_damaged_bytes_are_refused_or_read_but_never_break_anything(content: bytes, magic: bytes) -> None:
    try:
        photo = read_photo(text(magic + content))
    except RejectedError:
        return
    assert photo.width_px >= 0
