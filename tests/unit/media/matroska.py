"""Matroska bytes by hand, for what no muxer would write."""

from sightline_media import ebml

HEADER = ebml.element(ebml.EBML_HEADER, ebml.element(ebml.DOC_TYPE, b"matroska"))
UNKNOWN_SEGMENT = bytes.fromhex("18538067 01ffffffffffffff")


def tracks(*numbers: int) -> bytes:
    return ebml.element(ebml.TRACKS, b"".join(_track(number) for number in numbers))


def _track(number: int) -> bytes:
    entry = ebml.element(ebml.TRACK_NUMBER, bytes([number])) + ebml.element(ebml.TRACK_TYPE, b"\1")
    return ebml.element(ebml.TRACK_ENTRY, entry + ebml.element(ebml.CODEC_ID, b"V_MPEG4/ISO/AVC"))


def info(timecode_scale_ns: int) -> bytes:
    return ebml.element(ebml.INFO, ebml.element(ebml.TIMECODE_SCALE, timecode_scale_ns.to_bytes(4, "big")))


def start(*numbers: int) -> bytes:
    """EBML header, Segment of unknown size, tracks."""
    return HEADER + UNKNOWN_SEGMENT + tracks(*(numbers or (1,)))


def simple_block(
    offset: int, data: bytes = b"frame", *, track: int = 1, key_frame: bool = True, flags: int = 0
) -> bytes:
    head = bytes([0x80 | track]) + offset.to_bytes(2, "big", signed=True)
    return ebml.element(ebml.SIMPLE_BLOCK, head + bytes([flags | (0x80 if key_frame else 0)]) + data)


def block_group(
    offset: int, data: bytes = b"frame", *, reference: bool = False, duration: int | None = None
) -> bytes:
    parts = ebml.element(ebml.BLOCK, b"\x81" + offset.to_bytes(2, "big", signed=True) + b"\0" + data)
    if duration is not None:
        parts += ebml.element(ebml.BLOCK_DURATION, bytes([duration]))
    if reference:
        parts += ebml.element(ebml.REFERENCE_BLOCK, b"\xff")
    return ebml.element(ebml.BLOCK_GROUP, parts)


def timecode(value: int) -> bytes:
    return ebml.element(ebml.TIMECODE, value.to_bytes(8, "big"))


def cluster(at: int, *blocks: bytes, unknown_size: bool = False) -> bytes:
    body = timecode(at) + b"".join(blocks or (simple_block(0),))
    if unknown_size:
        return bytes.fromhex("1F43B675 01ffffffffffffff") + body
    return ebml.element(ebml.CLUSTER, body)
