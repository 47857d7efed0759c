"""Pictures and clips, made with the video layer."""

from collections.abc import Mapping, Sequence

from sightline.evidence.model import FRAME, THUMBNAIL, UNBOXED, EvidenceRequest, UnreadableVideoError
from sightline_media import (
    FragmentReader,
    MediaError,
    decode_frame_at,
    draw_box,
    encode_jpeg,
    join_mp4,
    shrink,
)

THUMBNAIL_WIDTH = 320


class VideoStudio:
    """Decodes one frame exactly where the engine saw the face."""

    def pictures(self, media: bytes, request: EvidenceRequest) -> Mapping[str, bytes]:
        reader = FragmentReader()
        try:
            fragment = [*reader.feed(media), *reader.finish()][0]
            frame = decode_frame_at(fragment, request.frame_offset_seconds).rgb
        except (MediaError, IndexError) as error:
            raise UnreadableVideoError(str(error)) from error
        boxed = draw_box(frame, request.box, request.label)
        return {
            FRAME: encode_jpeg(boxed),
            UNBOXED: encode_jpeg(frame, quality=95),
            THUMBNAIL: encode_jpeg(shrink(boxed, THUMBNAIL_WIDTH), quality=80),
        }

    def join(self, parts: Sequence[tuple[float, bytes]]) -> bytes:
        try:
            return join_mp4(parts)
        except MediaError as error:
            raise UnreadableVideoError(str(error)) from error
