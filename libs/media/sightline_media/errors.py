"""What can be wrong with media; every message is one line that a person can act on.

MediaError
├── InvalidMatroskaError        bytes that Kinesis Video Streams would refuse, with its error id
├── UnsupportedVideoError       a file that cannot be streamed as it is
└── UndecodableFragmentError    a fragment from which no decoder gets a picture
"""

from enum import IntEnum


class ErrorId(IntEnum):
    """Error ids of PutMedia acknowledgements (API_dataplane_PutMedia)."""

    STREAM_READ_ERROR = 4000
    MAX_FRAGMENT_SIZE_REACHED = 4001
    MAX_FRAGMENT_DURATION_REACHED = 4002
    MAX_CONNECTION_DURATION_REACHED = 4003
    FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS = 4004
    MORE_THAN_ALLOWED_TRACKS_FOUND = 4005
    INVALID_MKV_DATA = 4006
    INVALID_PRODUCER_TIMESTAMP = 4007
    STREAM_NOT_ACTIVE = 4008
    FRAGMENT_METADATA_LIMIT_REACHED = 4009
    TRACK_NUMBER_MISMATCH = 4010
    FRAMES_MISSING_FOR_TRACK = 4011
    INVALID_FRAGMENT_METADATA = 4012
    KMS_KEY_ACCESS_DENIED = 4500
    KMS_KEY_DISABLED = 4501
    KMS_KEY_VALIDATION_ERROR = 4502
    KMS_KEY_UNAVAILABLE = 4503
    KMS_KEY_INVALID_USAGE = 4504
    KMS_KEY_INVALID_STATE = 4505
    KMS_KEY_NOT_FOUND = 4506
    STREAM_DELETED = 4507  # only the producer SDK names it
    INTERNAL_ERROR = 5000
    ARCHIVAL_ERROR = 5001


class MediaError(Exception):
    """Something is wrong with the media itself."""


class InvalidMatroskaError(MediaError):
    """Media that Kinesis Video Streams would answer with an ERROR acknowledgement; `error_id` says which."""

    def __init__(self, message: str, error_id: ErrorId = ErrorId.INVALID_MKV_DATA) -> None:
        super().__init__(message)
        self.error_id = error_id


class UnsupportedVideoError(MediaError):
    """A file that cannot be streamed as it is."""


class UndecodableFragmentError(MediaError):
    """A fragment from which no decoder gets a picture."""
