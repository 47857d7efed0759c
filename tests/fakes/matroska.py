"""Small Matroska files without real pictures, for what looks at the container only."""

from collections.abc import Mapping

from sightline_media import ebml
from sightline_media.tags import encode_tags

UNKNOWN = b"\x01" + b"\xff" * 7


def head(tracks: int = 1) -> bytes:
    """EBML header, Segment of unknown size, Info and Tracks."""
    entries = b"".join(
        ebml.element(
            ebml.TRACK_ENTRY,
            ebml.element(ebml.TRACK_NUMBER, bytes([number]))
            + ebml.element(ebml.TRACK_TYPE, b"\x01")
            + ebml.element(ebml.CODEC_ID, b"V_MPEG4/ISO/AVC"),
        )
        for number in range(1, tracks + 1)
    )
    return (
        ebml.element(ebml.EBML_HEADER, ebml.element(ebml.DOC_TYPE, b"matroska"))
        + ebml.SEGMENT.to_bytes(4, "big")
        + UNKNOWN
        + ebml.element(ebml.INFO, ebml.element(ebml.TIMECODE_SCALE, (1_000_000).to_bytes(3, "big")))
        + ebml.element(ebml.TRACKS, entries)
    )


def cluster(
    timecode_ms: int,
    *,
    offsets_ms: tuple[int, ...] = (0, 500, 1000),
    tracks: tuple[int, ...] = (1,),
    frame: bytes = b"x" * 40,
) -> bytes:
    """One fragment: the same frame at each offset, in each track."""
    blocks = b"".join(
        ebml.element(
            ebml.SIMPLE_BLOCK,
            bytes([0x80 | track]) + offset.to_bytes(2, "big", signed=True) + b"\x80" + frame,
        )
        for offset in offsets_ms
        for track in tracks
    )
    return ebml.element(ebml.CLUSTER, ebml.element(ebml.TIMECODE, timecode_ms.to_bytes(8, "big")) + blocks)


def metadata(tags: Mapping[str, str]) -> bytes:
    return encode_tags(tags)
