"""The picture in a request."""

from typing import Any

from sightline_faces import PhotoError, Picture, read_photo
from sightline_local.cloud.service import ServiceError

MIN_SIDE_PX = 80


def read_image(image: dict[str, Any]) -> tuple[bytes, Picture]:
    """The bytes of `Image` and what they show; ServiceError when Rekognition would not take them."""
    if "S3Object" in image:
        raise ServiceError(
            "InvalidParameterException",
            "The local runtime takes Image.Bytes, it does not emulate S3Object.",
        )
    data = image.get("Bytes")
    if not data:
        raise ServiceError("InvalidParameterException", "Request has invalid parameters: Image has no Bytes.")
    try:
        picture = read_photo(data)
    except PhotoError as error:
        raise ServiceError(
            "InvalidImageFormatException", f"Request has invalid image format: {error}"
        ) from error
    if min(picture.shape[:2]) < MIN_SIDE_PX:
        raise ServiceError(
            "InvalidParameterException",
            f"Request has invalid parameters: the image is under {MIN_SIDE_PX} px.",
        )
    return data, picture
