"""Matroska and Kinesis Video fragments: read, write, cut, decode; MP4; PutMedia acknowledgements."""

from sightline_media.acks import Ack, AckReader, encode_ack
from sightline_media.errors import (
    ErrorId,
    InvalidMatroskaError,
    MediaError,
    UndecodableFragmentError,
    UnsupportedVideoError,
)
from sightline_media.fragment import Block, Fragment
from sightline_media.frames import (
    Frame,
    decode_frame_at,
    decode_frames,
    draw_box,
    encode_jpeg,
    save_jpeg,
    shrink,
)
from sightline_media.limits import check_fragment
from sightline_media.mp4 import join_mp4, write_mp4
from sightline_media.reader import FragmentReader
from sightline_media.remux import remux
from sightline_media.tags import decode_tags, encode_tags
from sightline_media.tracks import Track
from sightline_media.writer import (
    closing_tags,
    fragment_list_tags,
    get_media_tags,
    join,
    move,
    write_get_media_fragment,
)

__all__ = [
    "Ack",
    "AckReader",
    "Block",
    "ErrorId",
    "Fragment",
    "FragmentReader",
    "Frame",
    "InvalidMatroskaError",
    "MediaError",
    "Track",
    "UndecodableFragmentError",
    "UnsupportedVideoError",
    "check_fragment",
    "closing_tags",
    "decode_frame_at",
    "decode_frames",
    "decode_tags",
    "draw_box",
    "encode_ack",
    "encode_jpeg",
    "encode_tags",
    "fragment_list_tags",
    "get_media_tags",
    "join",
    "join_mp4",
    "move",
    "remux",
    "save_jpeg",
    "shrink",
    "write_get_media_fragment",
    "write_mp4",
]
