"""A Segment while its bytes arrive: the header that its fragments share, the tags around its clusters."""

from dataclasses import dataclass, field

from sightline_media import ebml
from sightline_media import tags as names
from sightline_media.cluster import ReadCluster
from sightline_media.errors import ErrorId, InvalidMatroskaError
from sightline_media.fragment import Fragment
from sightline_media.limits import MAX_TRACKS
from sightline_media.tags import decode_tags
from sightline_media.tracks import Track, decode_tracks

LEVEL_1 = frozenset(
    {
        ebml.EBML_HEADER,
        ebml.SEGMENT,
        ebml.SEEK_HEAD,
        ebml.INFO,
        ebml.TRACKS,
        ebml.CUES,
        ebml.CHAPTERS,
        ebml.ATTACHMENTS,
        ebml.TAGS,
        ebml.CLUSTER,
    }
)
# Codec data and tags are kilobytes; more is an attempt to fill the memory.
MAX_HEADER_BYTES = 4_000_000
_SEGMENT_OF_UNKNOWN_SIZE = bytes.fromhex("18538067 01ffffffffffffff")


class OpenSegment:
    """Collects one Segment; each method returns the fragments that it completes, none or one."""

    def __init__(self, raw: bytes, payload: bytes) -> None:
        document = dict(ebml.children(payload)).get(ebml.DOC_TYPE, b"matroska").rstrip(b"\0")
        if document not in {b"matroska", b"webm"}:
            raise InvalidMatroskaError(f"not Matroska: the document type is {document[:20]!r}")
        self.timecode_scale_ns = 1_000_000
        self._header = bytearray(raw)
        self._entered = False
        self._tracks: tuple[Track, ...] = ()
        self._header_tags: dict[str, str] = {}
        self._service_tags: dict[str, str] = {}
        self._metadata: dict[str, str] = {}
        self._metadata_raw = bytearray()
        self._clusters = 0
        self._pending: _Pending | None = None

    def enter(self) -> None:
        """The Segment element itself; its size is unknown in every fragment, since each is cut out of it."""
        if self._entered:
            raise InvalidMatroskaError("a second Segment: one request carries one Matroska Segment")
        self._entered = True
        self._header += _SEGMENT_OF_UNKNOWN_SIZE

    def start_cluster(self) -> list[Fragment]:
        if not self._entered or not self._tracks:
            raise InvalidMatroskaError("not Matroska: a cluster comes before the tracks")
        return self.flush()

    def keeps(self, element_id: int, size: int) -> bool:
        """Whether an element is needed whole; the others are passed over without being stored."""
        if not self._entered:
            raise InvalidMatroskaError("not Matroska: an EBML header without a Segment")
        if self._clusters and element_id == ebml.TRACKS:
            raise InvalidMatroskaError("the tracks may not change in the middle of a Segment")
        kept = not self._clusters or element_id == ebml.TAGS or self._pending is not None
        held = len(self._header) + len(self._metadata_raw)
        held += len(self._pending.trailer) if self._pending else 0
        if kept and held + size > MAX_HEADER_BYTES:
            raise InvalidMatroskaError(f"more than {MAX_HEADER_BYTES // 1_000_000} MB around a cluster")
        return kept

    def add(self, element_id: int, raw: bytes, payload: bytes) -> list[Fragment]:
        """Take one complete element other than a cluster."""
        if element_id == ebml.TAGS:
            return self._add_tags(raw, decode_tags(payload))
        if self._pending:
            self._pending.trailer += raw
            return []
        if element_id == ebml.TRACKS:
            self._tracks = _checked(decode_tracks(payload))
        elif element_id == ebml.INFO:
            scale = dict(ebml.children(payload)).get(ebml.TIMECODE_SCALE)
            self.timecode_scale_ns = ebml.unsigned(scale) if scale else 1_000_000
        self._header += raw
        return []

    def add_fragment(self, cluster: ReadCluster, *, known_size: bool) -> list[Fragment]:
        """Take a complete cluster; the fragment waits only if tags that belong to it may still come."""
        self._pending = _Pending(
            cluster, bytes(self._header + self._metadata_raw), self._service_tags, self._metadata
        )
        from_service = names.FRAGMENT_NUMBER in self._service_tags
        self._clusters += 1
        self._metadata, self._metadata_raw, self._service_tags = {}, bytearray(), {}
        # A producer's cluster of known size is complete: waiting for tags would delay each by one fragment.
        return self.flush() if known_size and not from_service else []

    def flush(self) -> list[Fragment]:
        """Nothing more can belong to the last fragment."""
        pending, self._pending = self._pending, None
        return [pending.fragment(self._tracks, self._header_tags)] if pending else []

    def _add_tags(self, raw: bytes, tags: dict[str, str]) -> list[Fragment]:
        from_service = not names.SERVICE_TAGS.isdisjoint(tags)
        if self._pending:
            return self._add_trailing(self._pending, b"" if from_service else raw, tags)
        if from_service:
            self._service_tags.update(tags)
        elif self._clusters:
            self._metadata.update(tags)
            self._metadata_raw += raw
        else:
            self._header_tags.update(tags)
            self._header += raw
        return []

    def _add_trailing(self, pending: "_Pending", raw: bytes, tags: dict[str, str]) -> list[Fragment]:
        (pending.metadata if raw else pending.service_tags).update(tags)
        pending.trailer += raw
        # The token is in the last thing that GetMedia writes: a live reader need not wait for more.
        return self.flush() if names.CONTINUATION_TOKEN in tags else []


@dataclass(slots=True)
class _Pending:
    """A complete cluster whose tags may not be complete."""

    cluster: ReadCluster
    header: bytes
    service_tags: dict[str, str]
    metadata: dict[str, str]
    trailer: bytearray = field(default_factory=bytearray)

    def fragment(self, tracks: tuple[Track, ...], header_tags: dict[str, str]) -> Fragment:
        return Fragment(
            header=self.header,
            cluster=self.cluster.raw,
            timecode_ms=self.cluster.timecode_ms,
            blocks=self.cluster.blocks,
            tracks=tracks,
            tags={**header_tags, **self.metadata, **self.service_tags},
            metadata=self.metadata,
            trailer=bytes(self.trailer),
        )


def _checked(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    if len(tracks) > MAX_TRACKS:
        raise InvalidMatroskaError(
            f"{len(tracks)} tracks, at most {MAX_TRACKS} are allowed", ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND
        )
    return tracks
