"""The tracks that a Matroska header declares."""

from dataclasses import dataclass, field

from sightline_media import ebml

VIDEO_TRACK = 1


@dataclass(frozen=True, slots=True)
class Track:
    """One track; `type` is Matroska's (1 video, 2 audio), `codec_private` is the avcC record of H.264."""

    number: int
    type: int
    codec_id: str
    codec_private: bytes = field(default=b"", repr=False)
    width: int | None = None
    height: int | None = None
    frame_duration_ms: float | None = None


def decode_tracks(payload: bytes) -> tuple[Track, ...]:
    """Read the payload of a Tracks element."""
    return tuple(_track(entry) for entry_id, entry in ebml.children(payload) if entry_id == ebml.TRACK_ENTRY)


def _track(entry: bytes) -> Track:
    fields = dict(ebml.children(entry))
    video = dict(ebml.children(fields.get(ebml.VIDEO, b"")))
    duration_ns = ebml.unsigned(fields.get(ebml.DEFAULT_DURATION, b""))
    return Track(
        number=ebml.unsigned(fields.get(ebml.TRACK_NUMBER, b"")),
        type=ebml.unsigned(fields.get(ebml.TRACK_TYPE, b"")),
        codec_id=fields.get(ebml.CODEC_ID, b"").rstrip(b"\0").decode(errors="replace"),
        codec_private=fields.get(ebml.CODEC_PRIVATE, b""),
        width=ebml.unsigned(video[ebml.PIXEL_WIDTH]) if ebml.PIXEL_WIDTH in video else None,
        height=ebml.unsigned(video[ebml.PIXEL_HEIGHT]) if ebml.PIXEL_HEIGHT in video else None,
        frame_duration_ms=duration_ns / 1e6 if duration_ns else None,
    )
