"""A fragment: what one Matroska cluster and the header in front of it say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline_media import tags as names
from sightline_media.errors import InvalidMatroskaError
from sightline_media.tracks import VIDEO_TRACK, Track


@dataclass(frozen=True, slots=True)
class Block:
    """One frame: `offset_ms` from the fragment's timecode, its bytes in `cluster` at `position`."""

    track: int
    offset_ms: int
    key_frame: bool
    position: int
    size: int
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment. Its identity is `number`: cluster timecodes repeat and go backwards in real streams.

    `header` is everything from the EBML header up to the cluster, its Segment of unknown size, without the
    service's own tags; `cluster` is one complete Cluster element of known size; `trailer` is what followed it
    (Cues, a producer's tags); `tags` are all tags: the header's, the service's and `metadata`, those that the
    producer attached to this fragment alone.
    """

    header: bytes = field(repr=False)
    cluster: bytes = field(repr=False)
    timecode_ms: int
    blocks: tuple[Block, ...] = field(repr=False)
    tracks: tuple[Track, ...] = field(default=(), repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    trailer: bytes = field(default=b"", repr=False)

    @property
    def number(self) -> str | None:
        """The fragment number, a decimal string; None before the service gave one."""
        return self.tags.get(names.FRAGMENT_NUMBER)

    @property
    def continuation_token(self) -> str | None:
        return self.tags.get(names.CONTINUATION_TOKEN)

    @property
    def server_timestamp(self) -> float | None:
        """Seconds since 1970."""
        return self._seconds(names.SERVER_TIMESTAMP, names.SERVER_SIDE_TIMESTAMP)

    @property
    def producer_timestamp(self) -> float | None:
        """Seconds since 1970."""
        return self._seconds(names.PRODUCER_TIMESTAMP, names.PRODUCER_SIDE_TIMESTAMP)

    @property
    def media(self) -> bytes:
        """A Matroska file of this fragment alone, without tags of the service; any decoder opens it."""
        return self.header + self.cluster

    @property
    def size_bytes(self) -> int:
        return len(self.cluster)

    @property
    def starts_with_key_frame(self) -> bool:
        """Whether the fragment decodes without the one before."""
        video = {track.number for track in self.tracks if track.type == VIDEO_TRACK}
        first = next((block for block in self.blocks if block.track in video), None)
        return first is not None and first.key_frame

    @property
    def first_frame_ms(self) -> int:
        """Timecode of the earliest frame; frames need not be stored in order of time."""
        return self.timecode_ms + min((block.offset_ms for block in self.blocks), default=0)

    @property
    def last_frame_ms(self) -> int:
        """Timecode of the latest frame."""
        return self.timecode_ms + max((block.offset_ms for block in self.blocks), default=0)

    @property
    def duration_ms(self) -> int:
        """From the earliest frame to the end of the latest one."""
        if not self.blocks:
            return 0
        return self.last_frame_ms - self.first_frame_ms + round(self._last_frame_duration_ms())

    def frame(self, block: Block) -> bytes:
        """The bytes of one frame as they are stored."""
        return self.cluster[block.position : block.position + block.size]

    def _last_frame_duration_ms(self) -> float:
        last = max(self.blocks, key=lambda block: block.offset_ms)
        if last.duration_ms is not None:
            return last.duration_ms
        declared = next(
            (track.frame_duration_ms for track in self.tracks if track.number == last.track), None
        )
        if declared is not None:
            return declared
        frames = sum(1 for block in self.blocks if block.track == last.track)
        # Without a declared duration the average distance of the frames is the best guess.
        return (self.last_frame_ms - self.first_frame_ms) / (frames - 1) if frames > 1 else 0.0

    def _seconds(self, *tag_names: str) -> float | None:
        text = next((self.tags[name] for name in tag_names if name in self.tags), None)
        if text is None:
            return None
        try:
            return float(text)
        except ValueError:
            raise InvalidMatroskaError(f"the fragment's timestamp {text!r} is not a number") from None
