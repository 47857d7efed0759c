"""Which refusals pass, and what to say of those that do not."""

from sightline_camera.errors import CameraError, LostConnectionError, RefusedError
from sightline_media import Ack, ErrorId
from sightline_media.acks import ERROR

_PASSING_ERRORS = frozenset(
    {
        ErrorId.STREAM_READ_ERROR,
        ErrorId.MAX_CONNECTION_DURATION_REACHED,
        ErrorId.INTERNAL_ERROR,
        ErrorId.ARCHIVAL_ERROR,
    }
)
_HINTS = {
    ErrorId.STREAM_NOT_ACTIVE: "the video stream is not active (yet, or any more)",
    ErrorId.INVALID_PRODUCER_TIMESTAMP: "check the clock of this machine",
    ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS: "the video's time stamps go backwards",
    ErrorId.MAX_FRAGMENT_SIZE_REACHED: "a fragment is larger than 50 MB",
    ErrorId.MAX_FRAGMENT_DURATION_REACHED: "a fragment is longer than 20 s",
    ErrorId.KMS_KEY_ACCESS_DENIED: "the camera's credentials may not use the video stream's KMS key",
}
_REFUSAL_HINTS = {
    "ConnectionLimitExceededException": "another camera is streaming to this video stream",
    "ResourceNotFoundException": "the video stream does not exist",
    "NotAuthorizedException": "the credentials do not allow PutMedia on this video stream",
    "AccessDeniedException": "the credentials do not allow PutMedia on this video stream",
}
# After a connection broke, the service may count it as open for a while; the other two are asked anew anyway.
_PASSING_REFUSALS = frozenset(
    {"ConnectionLimitExceededException", "ClientLimitExceededException", "InvalidEndpointException"}
)


def check_ack(ack: Ack) -> None:
    """Raise for an ERROR acknowledgement: LostConnectionError when trying again helps, else CameraError."""
    if ack.event_type != ERROR:
        return
    text = f"{ack.error_code or 'ERROR'} ({ack.error_id})"
    if ack.error_id in _PASSING_ERRORS:
        raise LostConnectionError(f"the service answered {text}")
    hint = _HINTS.get(ErrorId(ack.error_id)) if ack.error_id in set(ErrorId) else None
    raise CameraError(f"the video stream refused the video: {text}" + (f": {hint}" if hint else ""))


def is_passing(error: RefusedError, *, reconnecting: bool) -> bool:
    """Whether the same request may succeed a little later."""
    if error.status >= 500 or error.status == 429:
        return True
    return reconnecting and error.code in _PASSING_REFUSALS


def refused(error: RefusedError) -> CameraError:
    hint = _REFUSAL_HINTS.get(error.code)
    return CameraError(f"PutMedia was refused: {error}" + (f" ({hint})" if hint else ""))
