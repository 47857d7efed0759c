"""A photo, as people send it, as a picture."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from sightline_faces.errors import PhotoError
from sightline_faces.face import Picture

MAX_SIDE_PX = 1920
"""Nothing is gained by more: a face a tenth as wide as such a photo already fills the embedder's 150 px."""

MAX_PIXELS = 89_000_000
"""Where Pillow begins to warn of a decompression bomb; 267 MB of memory."""


def read_photo(data: bytes) -> Picture:
    """Decode a JPEG or PNG, upright, in sRGB order, at most 1920 px on its longer side."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG", "PNG"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PhotoError(
                    f"the photo has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read"
                )
            return _upright_rgb(image)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise PhotoError("not a JPEG or PNG photo") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PhotoError("the photo is damaged: it cannot be decoded to its end") from error


def _upright_rgb(image: Image.Image) -> Picture:
    # draft lets the JPEG decoder itself halve a huge photo, which is far cheaper than to decode all of it.
    image.draft("RGB", (MAX_SIDE_PX, MAX_SIDE_PX))
    upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.BICUBIC)
    return np.array(upright)
