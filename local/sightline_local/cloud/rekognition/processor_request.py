"""What CreateStreamProcessor must say, and what the local runtime refuses to pretend."""

from typing import Any

from sightline_local.cloud.rekognition.collection import MIN_THRESHOLD
from sightline_local.cloud.service import ServiceError

_MEMBERS = ("Name", "Input", "Output", "RoleArn", "DataSharingPreference", "Tags")
_NOT_FOR_FACE_SEARCH = ("NotificationChannel", "KmsKeyId", "RegionsOfInterest")
_REQUIRED = (
    ("Input", "KinesisVideoStream", "Arn"),
    ("Output", "KinesisDataStream", "Arn"),
    ("Settings", "FaceSearch", "CollectionId"),
)


def checked_definition(params: dict[str, Any]) -> dict[str, Any]:
    """The definition to keep, with the threshold that will be used; ServiceError when it is none."""
    if "ConnectedHome" in params["Settings"]:
        raise ServiceError(
            "InvalidParameterException",
            "The local runtime emulates stream processors for face search, not for labels (ConnectedHome).",
        )
    for path in _REQUIRED:
        _require(params, path)
    for member in _NOT_FOR_FACE_SEARCH:
        if member in params:
            raise ServiceError("InvalidParameterException", f"{member} is not for face search.")
    if "S3Destination" in params["Output"]:
        raise ServiceError("InvalidParameterException", "Output.S3Destination is not for face search.")
    search = params["Settings"]["FaceSearch"]
    threshold = max(search.get("FaceMatchThreshold", MIN_THRESHOLD), MIN_THRESHOLD)
    settings = {"FaceSearch": {"CollectionId": search["CollectionId"], "FaceMatchThreshold": threshold}}
    return {member: params[member] for member in _MEMBERS if member in params} | {"Settings": settings}


def _require(params: dict[str, Any], path: tuple[str, ...]) -> None:
    inner: Any = params
    for member in path:
        inner = inner.get(member)
        if inner is None:
            raise ServiceError("InvalidParameterException", f"Face search needs {'.'.join(path)}.")
