"""Photos as they come in, as base64 text or as an upload: a JPEG or PNG, and its size in pixels."""

import base64
import binascii
import struct
from dataclasses import dataclass, replace

from sightline.errors import RejectedError, TooLargeError

# Rekognition takes 5 MB of image in a request. On AWS the largest photo that arrives has about 4.4 MB: as
# base64 in JSON it then fills the 6 MB that Lambda accepts (API Gateway itself accepts 10 MB).
MAX_PHOTO_BYTES = 5 * 1024 * 1024
# What Rekognition reads from S3.
MAX_UPLOAD_BYTES = 15 * 1024 * 1024
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# The start-of-frame markers, which carry the size; C4, C8 and CC in their midst are tables.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOT_A_PICTURE = "The image is not a JPEG or PNG picture."


@dataclass(frozen=True, slots=True)
class Photo:
    """`upload_key`: where the photo lies when it was uploaded; `content` is then only its beginning."""

    content: bytes
    width_px: int
    height_px: int
    extension: str = "jpg"
    upload_key: str | None = None


def read_photo(image: str) -> Photo:
    """The photo in a base64 text; line breaks in it are fine, a `data:` prefix is not."""
    try:
        content = base64.b64decode("".join(image.split()), validate=True)
    except (binascii.Error, ValueError):  # ValueError: a text that is not ASCII
        raise RejectedError("The image is not base64.") from None
    if len(content) > MAX_PHOTO_BYTES:
        raise TooLargeError(
            f"The photo has {len(content) / 2**20:.1f} MB; 5 MB is the most. "
            "POST /people/{person_id}/photos gives an upload_url for larger ones."
        )
    return _picture(content)


def read_upload(head: bytes, size_bytes: int, key: str) -> Photo:
    """An uploaded photo: its first bytes (a JPEG's size stands behind its comments), its length, its key."""
    if size_bytes > MAX_UPLOAD_BYTES:
        raise TooLargeError(f"The photo has {size_bytes / 2**20:.1f} MB; 15 MB is the most.")
    return replace(_picture(head), upload_key=key)


def _picture(content: bytes) -> Photo:
    if content.startswith(_PNG):
        return Photo(content, *_png_size(content), extension="png")
    if content.startswith(_JPEG):
        return Photo(content, *_jpeg_size(content))
    raise RejectedError(_NOT_A_PICTURE)


def _png_size(content: bytes) -> tuple[int, int]:
    if len(content) < 24 or content[12:16] != b"IHDR":
        raise RejectedError(_NOT_A_PICTURE)
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        # FF may be repeated as padding before a marker; every other segment says how long it is.
        at += 1 if marker == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4])
    raise RejectedError(_NOT_A_PICTURE)
