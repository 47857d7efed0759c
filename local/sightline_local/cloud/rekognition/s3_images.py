"""Pictures that are named by their place in S3."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sightline_local.cloud.service import ServiceError

_LIMIT_BYTES = 15 * 1024 * 1024


def fetch(s3: Any, s3_object: Mapping[str, str]) -> bytes:
    """The object's bytes, read by a client that has the caller's rights."""
    place = {"Bucket": s3_object.get("Bucket"), "Key": s3_object.get("Name")}
    if version := s3_object.get("Version"):
        place["VersionId"] = version
    if not all(place.values()):
        raise ServiceError("InvalidParameterException", "Request has invalid parameters")
    try:
        answer = s3.get_object(**place)
    except ClientError as error:
        message = "Unable to get object metadata from S3. Check object key, region and/or access permissions."
        raise ServiceError("InvalidS3ObjectException", message) from error
    if answer["ContentLength"] > _LIMIT_BYTES:
        raise ServiceError("ImageTooLargeException", "Image size is too large.")
    return bytes(answer["Body"].read())
