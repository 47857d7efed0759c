"""Writes fragments as the service does, and clusters as a producer does."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sightline_media import ebml
from sightline_media import tags as names
from sightline_media.fragment import Block, Fragment
from sightline_media.tags import encode_tags


def write_get_media_fragment(
    fragment: Fragment, before: Mapping[str, str], after: Mapping[str, str] | None = None
) -> bytes:
    """One EBML header and Segment for this fragment alone, as GetMedia answers, the tags around it."""
    return (
        fragment.header + encode_tags(before) + fragment.cluster + fragment.trailer + encode_tags(after or {})
    )


def get_media_tags(number: str, server_timestamp: float, producer_timestamp: float) -> dict[str, str]:
    """What GetMedia writes before the cluster; timestamps in seconds since 1970."""
    return {
        names.FRAGMENT_NUMBER: number,
        names.SERVER_TIMESTAMP: f"{server_timestamp:.3f}",
        names.PRODUCER_TIMESTAMP: f"{producer_timestamp:.3f}",
    }


def closing_tags(number: str, millis_behind_now: int) -> dict[str, str]:
    """What GetMedia writes behind the cluster; the continuation token is the fragment's own number."""
    return {names.MILLIS_BEHIND_NOW: str(millis_behind_now), names.CONTINUATION_TOKEN: number}


def fragment_list_tags(number: str, server_timestamp: float, producer_timestamp: float) -> dict[str, str]:
    """What GetMediaForFragmentList writes before the cluster, in its own spelling."""
    return {
        names.FRAGMENT_NUMBER: number,
        names.SERVER_SIDE_TIMESTAMP: f"{server_timestamp:.3f}",
        names.PRODUCER_SIDE_TIMESTAMP: f"{producer_timestamp:.3f}",
    }


def move(fragment: Fragment, by_ms: int) -> Fragment:
    """The same frames `by_ms` later, in a cluster written anew."""
    return join([fragment], by_ms=by_ms)


def join(fragments: list[Fragment], *, by_ms: int = 0) -> Fragment:
    """One fragment of the frames of several, `by_ms` later; its timecode is that of its earliest frame."""
    first = fragments[0]
    start_ms = min(fragment.first_frame_ms for fragment in fragments)
    frames = [
        (replace(block, offset_ms=fragment.timecode_ms + block.offset_ms - start_ms), fragment.frame(block))
        for fragment in fragments
        for block in fragment.blocks
    ]
    cluster, blocks = _cluster(start_ms + by_ms, frames)
    return replace(first, cluster=cluster, timecode_ms=start_ms + by_ms, blocks=blocks, trailer=b"")


def _cluster(timecode_ms: int, frames: Iterable[tuple[Block, bytes]]) -> tuple[bytes, tuple[Block, ...]]:
    body = bytearray(ebml.element(ebml.TIMECODE, timecode_ms.to_bytes(8, "big")))
    blocks = []
    for block, data in frames:
        head = bytes([0x80 | block.track]) + block.offset_ms.to_bytes(2, "big", signed=True)
        head += b"\x80" if block.key_frame else b"\x00"
        body += ebml.element(ebml.SIMPLE_BLOCK, head + data)
        blocks.append(replace(block, position=len(body) - len(data)))
    shift = 12  # id and 8-byte size, as the service's bytes show
    cluster = ebml.element(ebml.CLUSTER, bytes(body), size_length=8)
    return cluster, tuple(replace(block, position=block.position + shift) for block in blocks)
