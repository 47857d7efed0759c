"""Matroska tags: the names that Kinesis Video Streams uses, and their encoding."""

from collections.abc import Mapping

from sightline_media import ebml

FRAGMENT_NUMBER = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
SERVER_TIMESTAMP = "AWS_KINESISVIDEO_SERVER_TIMESTAMP"
PRODUCER_TIMESTAMP = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"
MILLIS_BEHIND_NOW = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"
CONTINUATION_TOKEN = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"  # noqa: S105 - a name of a tag, no secret
ERROR_CODE = "AWS_KINESISVIDEO_ERROR_CODE"
ERROR_ID = "AWS_KINESISVIDEO_ERROR_ID"
# GetMediaForFragmentList is documented with other names than GetMedia; readers accept both.
SERVER_SIDE_TIMESTAMP = "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP"
PRODUCER_SIDE_TIMESTAMP = "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP"
EXCEPTION_ERROR_CODE = "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE"
EXCEPTION_MESSAGE = "AWS_KINESISVIDEO_EXCEPTION_MESSAGE"
# What a producer may write although the names begin with AWS.
IMAGE_GENERATION = "AWS_KINESISVIDEO_IMAGE_GENERATION"
IMAGE_PREFIX = "AWS_KINESISVIDEO_IMAGE_PREFIX"
NOTIFICATION = "AWS_KINESISVIDEO_NOTIFICATION"

PRODUCER_TAGS = frozenset({IMAGE_GENERATION, IMAGE_PREFIX, NOTIFICATION})
SERVICE_TAGS = frozenset(
    {
        FRAGMENT_NUMBER,
        SERVER_TIMESTAMP,
        PRODUCER_TIMESTAMP,
        MILLIS_BEHIND_NOW,
        CONTINUATION_TOKEN,
        ERROR_CODE,
        ERROR_ID,
        SERVER_SIDE_TIMESTAMP,
        PRODUCER_SIDE_TIMESTAMP,
        EXCEPTION_ERROR_CODE,
        EXCEPTION_MESSAGE,
    }
)


def encode_tags(tags: Mapping[str, str]) -> bytes:
    """One Tags element with one Tag, all sizes in 4 bytes, as the service writes it; nothing for no tags."""
    if not tags:
        return b""
    simple = b"".join(_simple_tag(name, value) for name, value in tags.items())
    return ebml.element(ebml.TAGS, ebml.element(ebml.TAG, simple, size_length=4), size_length=4)


def _simple_tag(name: str, value: str) -> bytes:
    pair = ebml.element(ebml.TAG_NAME, name.encode(), size_length=4)
    pair += ebml.element(ebml.TAG_STRING, value.encode(), size_length=4)
    return ebml.element(ebml.SIMPLE_TAG, pair, size_length=4)


def decode_tags(payload: bytes) -> dict[str, str]:
    """Name → text of each SimpleTag in the payload of a Tags element; of a repeated name the last."""
    found: dict[str, str] = {}
    for tag_id, tag in ebml.children(payload):
        if tag_id != ebml.TAG:
            continue
        for simple_id, simple in ebml.children(tag):
            if simple_id == ebml.SIMPLE_TAG:
                fields = dict(ebml.children(simple))
                if ebml.TAG_NAME in fields:
                    found[_text(fields[ebml.TAG_NAME])] = _text(fields.get(ebml.TAG_STRING, b""))
    return found


def _text(raw: bytes) -> str:
    # Matroska pads strings with zeros (Lavf's DURATION does).
    return raw.rstrip(b"\0").decode(errors="replace")
