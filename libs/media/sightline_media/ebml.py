"""EBML, the encoding of Matroska (RFC 8794): ids, sizes, elements."""

from collections.abc import Iterator

from sightline_media.errors import InvalidMatroskaError

EBML_HEADER = 0x1A45DFA3
DOC_TYPE = 0x4282
SEGMENT = 0x18538067
SEEK_HEAD = 0x114D9B74
INFO = 0x1549A966
TIMECODE_SCALE = 0x2AD7B1
TRACKS = 0x1654AE6B
TRACK_ENTRY = 0xAE
TRACK_NUMBER = 0xD7
TRACK_TYPE = 0x83
CODEC_ID = 0x86
CODEC_PRIVATE = 0x63A2
DEFAULT_DURATION = 0x23E383
VIDEO = 0xE0
PIXEL_WIDTH = 0xB0
PIXEL_HEIGHT = 0xBA
CLUSTER = 0x1F43B675
TIMECODE = 0xE7
SIMPLE_BLOCK = 0xA3
BLOCK_GROUP = 0xA0
BLOCK = 0xA1
BLOCK_DURATION = 0x9B
REFERENCE_BLOCK = 0xFB
TAGS = 0x1254C367
TAG = 0x7373
SIMPLE_TAG = 0x67C8
TAG_NAME = 0x45A3
TAG_STRING = 0x4487
CUES = 0x1C53BB6B
CHAPTERS = 0x1043A770
ATTACHMENTS = 0x1941A469
VOID = 0xEC
CRC_32 = 0xBF
PREVIOUS_SIZE = 0xAB
POSITION = 0xA7
SILENT_TRACKS = 0x5854
ENCRYPTED_BLOCK = 0xAF

UNKNOWN_SIZE = -1

# Length of a variable-size integer by its first byte; 9: longer than 8 bytes, which nobody may write.
_LENGTHS = tuple(9 - byte.bit_length() for byte in range(256))
_ALL_ONES = tuple((1 << 7 * length) - 1 for length in range(10))

Bytes = bytes | bytearray | memoryview


def element_header(data: Bytes, position: int, end: int) -> tuple[int, int, int] | None:
    """Return (id, payload size in bytes or UNKNOWN_SIZE, position of the payload); None: needs more bytes."""
    if position >= end:
        return None
    id_length = _LENGTHS[data[position]]
    if id_length > 4:
        raise InvalidMatroskaError(f"not Matroska: no element begins with byte 0x{data[position]:02x}")
    size_at = position + id_length
    if size_at >= end:
        return None
    length = _LENGTHS[data[size_at]]
    if length > 8:
        raise InvalidMatroskaError("not Matroska: an element's size is longer than 8 bytes")
    payload_at = size_at + length
    if payload_at > end:
        return None
    size = int.from_bytes(data[size_at:payload_at], "big") & _ALL_ONES[length]
    element_id = int.from_bytes(data[position:size_at], "big")
    return element_id, UNKNOWN_SIZE if size == _ALL_ONES[length] else size, payload_at


def children(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk the child elements of a complete payload: (id, payload)."""
    position, end = 0, len(payload)
    while position < end:
        header = element_header(payload, position, end)
        if header is None or header[1] == UNKNOWN_SIZE or header[2] + header[1] > end:
            raise InvalidMatroskaError("not Matroska: an element is longer than the one around it")
        element_id, size, start = header
        yield element_id, payload[start : start + size]
        position = start + size


def unsigned(payload: bytes) -> int:
    """An unsigned integer payload; none is 0, as EBML says."""
    if len(payload) > 8:
        raise InvalidMatroskaError("not Matroska: an integer is longer than 8 bytes")
    return int.from_bytes(payload, "big")


def variable_integer(data: Bytes, position: int, end: int) -> tuple[int, int]:
    """Return (value, position behind it)."""
    length = _LENGTHS[data[position]] if position < end else 9
    if length > 8 or position + length > end:
        raise InvalidMatroskaError("not Matroska: a block has no track number")
    return int.from_bytes(data[position : position + length], "big") & _ALL_ONES[length], position + length


def element(element_id: int, payload: bytes, *, size_length: int = 0) -> bytes:
    """One encoded element; size_length is the number of bytes of its size field, 0 for the shortest."""
    size = len(payload)
    while not size_length or size >= _ALL_ONES[size_length]:
        size_length += 1
    encoded_id = element_id.to_bytes((element_id.bit_length() + 7) // 8, "big")
    return encoded_id + (size | 1 << 7 * size_length).to_bytes(size_length, "big") + payload
