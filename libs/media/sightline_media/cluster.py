"""A cluster while its bytes arrive."""

from dataclasses import dataclass, replace

from sightline_media import ebml
from sightline_media.errors import ErrorId, InvalidMatroskaError
from sightline_media.fragment import Block

_CHILDREN = frozenset(
    {
        ebml.TIMECODE,
        ebml.SIMPLE_BLOCK,
        ebml.BLOCK_GROUP,
        ebml.ENCRYPTED_BLOCK,
        ebml.PREVIOUS_SIZE,
        ebml.POSITION,
        ebml.SILENT_TRACKS,
        ebml.VOID,
        ebml.CRC_32,
    }
)
_NS_PER_MS = 1_000_000
# 20 s of three busy tracks are some thousand; more is an attempt to fill the memory with empty frames.
_MAX_FRAMES = 100_000


@dataclass(frozen=True, slots=True)
class ReadCluster:
    """A complete cluster of known size; the blocks' positions count from its first byte."""

    raw: bytes
    timecode_ms: int
    blocks: tuple[Block, ...]


class OpenCluster:
    """Positions are those of the reader's buffer; `end` is None while the cluster's size is unknown."""

    def __init__(self, start: int, body: int, size: int, timecode_scale_ns: int, max_bytes: int) -> None:
        self.start = start
        self.end = None if size == ebml.UNKNOWN_SIZE else body + size
        self.timecode_ms: int | None = None
        self._body = body
        # cut() writes the 4-byte id and an 8-byte size where the size was unknown.
        self._head_length = body - start if self.end is not None else 12
        self._scale_ns = timecode_scale_ns
        self._timecode = 0
        self._blocks: list[Block] = []
        if size > max_bytes:
            raise _too_large(size, max_bytes)

    def shift(self, by: int) -> None:
        """The reader dropped this many bytes from the front of its buffer."""
        self.start -= by
        self._body -= by
        self.end = None if self.end is None else self.end - by

    def check_child(self, element_id: int, size: int, payload_at: int, max_bytes: int) -> None:
        """Refuse what may not stand in a cluster before its bytes are awaited."""
        if len(self._blocks) > _MAX_FRAMES:
            raise InvalidMatroskaError(f"a fragment of more than {_MAX_FRAMES} frames")
        if element_id not in _CHILDREN or size == ebml.UNKNOWN_SIZE:
            raise InvalidMatroskaError(f"not Matroska: element 0x{element_id:X} may not stand in a cluster")
        if self.end is not None and payload_at + size > self.end:
            raise InvalidMatroskaError("not Matroska: a frame is longer than the cluster around it")
        if payload_at + size - self._body > max_bytes:
            raise _too_large(payload_at + size - self._body, max_bytes)

    def read_child(self, element_id: int, data: bytearray, start: int, end: int) -> None:
        """Take one complete child with its payload at `data[start:end]`."""
        if element_id == ebml.SIMPLE_BLOCK:
            self._blocks.append(self._block(data, start, end, key_frame=None))
        elif element_id == ebml.TIMECODE:
            self._timecode = ebml.unsigned(bytes(data[start:end]))
            self.timecode_ms = self._milliseconds(self._timecode)
        elif element_id == ebml.BLOCK_GROUP:
            self._blocks.append(self._block_group(data, start, end))

    def cut(self, data: bytearray, end: int) -> ReadCluster:
        """The cluster up to `end`; an unknown size is replaced by the real one."""
        if self.timecode_ms is None:
            raise InvalidMatroskaError("not Matroska: a cluster without a timecode")
        with memoryview(data) as view:
            if self.end is None:
                raw = ebml.element(ebml.CLUSTER, bytes(view[self._body : end]), size_length=8)
            else:
                raw = bytes(view[self.start : end])
        return ReadCluster(raw, self.timecode_ms, tuple(self._blocks))

    def _block_group(self, data: bytearray, start: int, end: int) -> Block:
        position, found, key_frame, duration = start, None, True, None
        while position < end:
            header = ebml.element_header(data, position, end)
            if header is None or header[1] == ebml.UNKNOWN_SIZE or header[1] + header[2] > end:
                raise InvalidMatroskaError("not Matroska: a block group is cut short")
            element_id, size, payload_at = header
            position = payload_at + size
            if element_id == ebml.BLOCK:
                found = (payload_at, position)
            elif element_id == ebml.REFERENCE_BLOCK:
                key_frame = False
            elif element_id == ebml.BLOCK_DURATION:
                duration = self._milliseconds(ebml.unsigned(bytes(data[payload_at:position])))
        if found is None:
            raise InvalidMatroskaError("not Matroska: a block group without a block")
        return replace(self._block(data, *found, key_frame=key_frame), duration_ms=duration)

    def _block(self, data: bytearray, start: int, end: int, *, key_frame: bool | None) -> Block:
        if self.timecode_ms is None:
            raise InvalidMatroskaError("not Matroska: a frame stands before the cluster's timecode")
        track, position = ebml.variable_integer(data, start, end)
        if position + 3 > end:
            raise InvalidMatroskaError("not Matroska: a frame without a timecode")
        relative = int.from_bytes(data[position : position + 2], "big", signed=True)
        offset_ms = self._milliseconds(self._timecode + relative) - self.timecode_ms
        is_key = bool(data[position + 2] & 0x80) if key_frame is None else key_frame
        in_body = position + 3 - self._body
        return Block(track, offset_ms, is_key, self._head_length + in_body, end - position - 3)

    def _milliseconds(self, ticks: int) -> int:
        if self._scale_ns == _NS_PER_MS:
            return ticks
        return round(ticks * self._scale_ns / _NS_PER_MS)


def _too_large(size: int, limit: int) -> InvalidMatroskaError:
    return InvalidMatroskaError(
        f"a fragment of {size / 1e6:.1f} MB, at most {limit / 1e6:.0f} MB are allowed",
        ErrorId.MAX_FRAGMENT_SIZE_REACHED,
    )
