"""The rules that Kinesis Video Streams lays on a fragment that a producer sends (docs: limits, PutMedia)."""

from sightline_media import tags as names
from sightline_media.errors import ErrorId, InvalidMatroskaError
from sightline_media.fragment import Fragment

MAX_FRAGMENT_BYTES = 50_000_000
MAX_FRAGMENT_MS = 20_000
MIN_FRAGMENT_MS = 1_000
MAX_TRACKS = 3
MAX_METADATA_TAGS = 10
MAX_TAG_NAME_BYTES = 128
MAX_TAG_VALUE_BYTES = 256


def check_fragment(fragment: Fragment, previous: Fragment | None = None) -> None:
    """Raise InvalidMatroskaError with the service's error id when it would refuse the fragment."""
    _check_tracks(fragment)
    if fragment.last_frame_ms - fragment.first_frame_ms > MAX_FRAGMENT_MS:
        raise InvalidMatroskaError(
            f"a fragment lasts {fragment.duration_ms / 1000:.1f} s, at most 20 s are allowed",
            ErrorId.MAX_FRAGMENT_DURATION_REACHED,
        )
    if previous is not None and fragment.first_frame_ms <= previous.last_frame_ms:
        raise InvalidMatroskaError(
            f"a fragment begins at {fragment.first_frame_ms} ms, before the end of the one before it",
            ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS,
        )
    check_metadata(dict(fragment.metadata))


def _check_tracks(fragment: Fragment) -> None:
    declared = {track.number for track in fragment.tracks}
    used = {block.track for block in fragment.blocks}
    if used - declared:
        raise InvalidMatroskaError(
            f"frames of track {min(used - declared)}, which the header does not declare",
            ErrorId.TRACK_NUMBER_MISMATCH,
        )
    if declared - used:
        raise InvalidMatroskaError(
            f"a fragment without a frame of track {min(declared - used)}", ErrorId.FRAMES_MISSING_FOR_TRACK
        )


def check_metadata(tags: dict[str, str]) -> None:
    """Raise InvalidMatroskaError when these are more or longer tags than a fragment may have."""
    if len(tags) > MAX_METADATA_TAGS:
        raise InvalidMatroskaError(
            f"a fragment has {len(tags)} tags, at most 10 are allowed",
            ErrorId.FRAGMENT_METADATA_LIMIT_REACHED,
        )
    for name, value in tags.items():
        if len(name.encode()) > MAX_TAG_NAME_BYTES or len(value.encode()) > MAX_TAG_VALUE_BYTES:
            raise InvalidMatroskaError(
                f"tag {name[:40]!r} is longer than 128 bytes of name or 256 of value",
                ErrorId.FRAGMENT_METADATA_LIMIT_REACHED,
            )
        if name.startswith("AWS") and name not in names.PRODUCER_TAGS:
            raise InvalidMatroskaError(
                f"tag {name[:40]!r} begins with AWS, which is reserved", ErrorId.INVALID_FRAGMENT_METADATA
            )
