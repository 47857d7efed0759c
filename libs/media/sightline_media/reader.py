"""Reads fragments out of Matroska bytes as they arrive: of PutMedia's one Segment, of GetMedia's many."""

from sightline_media import ebml, segment
from sightline_media.cluster import OpenCluster
from sightline_media.errors import InvalidMatroskaError
from sightline_media.fragment import Fragment
from sightline_media.limits import MAX_FRAGMENT_BYTES
from sightline_media.segment import OpenSegment

_GLOBAL = frozenset({ebml.VOID, ebml.CRC_32})


class FragmentReader:
    """Turns chunks of bytes, cut anywhere, into fragments, each as soon as it is complete.

    Complete is a fragment of known size with its last byte; one of unknown size when the next cluster, or the
    end, comes; one that carries the service's tags when its continuation token, or the next header, comes.
    Every byte is looked at once, so the time is linear in the bytes however they are cut.
    """

    def __init__(self, *, single_segment: bool = False, max_fragment_bytes: int = MAX_FRAGMENT_BYTES) -> None:
        """`single_segment` refuses a second EBML header (PutMedia); without it many may follow (GetMedia)."""
        self._single_segment = single_segment
        self._max_bytes = max_fragment_bytes
        self._buffer = bytearray()
        self._position = 0
        self._wanted = 1  # nothing can be done before the buffer is this long
        self._skip = 0
        self._segment: OpenSegment | None = None
        self._cluster: OpenCluster | None = None
        self._error: InvalidMatroskaError | None = None

    @property
    def open_timecode_ms(self) -> int | None:
        """Timecode of the fragment that is arriving (PutMedia's BUFFERING), None between fragments."""
        return self._cluster.timecode_ms if self._cluster else None

    @property
    def truncated(self) -> bool:
        """Whether the bytes so far end inside an element or a cluster."""
        return bool(self._skip or self._cluster or len(self._buffer) > self._position)

    def feed(self, chunk: bytes) -> list[Fragment]:
        """Return the fragments that these bytes complete; InvalidMatroskaError for bad bytes.

        What is good in front of the bad bytes is returned first, the error comes with the next call.
        """
        if self._error:
            raise self._error
        self._buffer += chunk
        if len(self._buffer) < self._wanted:
            return []
        done: list[Fragment] = []
        try:
            while self._step(done):
                pass
        except InvalidMatroskaError as error:
            self._error = error
            if not done:
                raise
        self._drop_used()
        return done

    def finish(self) -> list[Fragment]:
        """Return what the end of the stream completes; `truncated` then says whether a rest was left."""
        if self._error:
            raise self._error
        done: list[Fragment] = []
        cluster, at_boundary = self._cluster, self._position == len(self._buffer)
        if cluster and cluster.end is None and at_boundary:
            self._close(cluster, done)
        if self._segment:
            done += self._segment.flush()
        return done

    def _step(self, done: list[Fragment]) -> bool:
        """Go one element further; False: more bytes are needed."""
        if self._skip:
            return self._skip_bytes()
        if self._cluster and self._position == self._cluster.end:
            self._close(self._cluster, done)
        header = ebml.element_header(self._buffer, self._position, len(self._buffer))
        if header is None:
            return self._need(len(self._buffer) + 1)
        if self._cluster:
            return self._cluster_step(self._cluster, *header, done)
        return self._top_step(*header, done)

    def _need(self, length: int) -> bool:
        self._wanted = length
        return False

    def _skip_bytes(self) -> bool:
        skipped = min(self._skip, len(self._buffer) - self._position)
        self._position += skipped
        self._skip -= skipped
        return self._need(self._position + 1) if self._skip else True

    def _cluster_step(
        self, cluster: OpenCluster, element_id: int, size: int, payload_at: int, done: list[Fragment]
    ) -> bool:
        if cluster.end is None and element_id in segment.LEVEL_1:
            self._close(cluster, done)
            return self._top_step(element_id, size, payload_at, done)
        cluster.check_child(element_id, size, payload_at, self._max_bytes)
        if payload_at + size > len(self._buffer):
            return self._need(payload_at + size)
        cluster.read_child(element_id, self._buffer, payload_at, payload_at + size)
        self._position = payload_at + size
        return True

    def _top_step(self, element_id: int, size: int, payload_at: int, done: list[Fragment]) -> bool:
        if element_id == ebml.EBML_HEADER:
            return self._start_segment(size, payload_at, done)
        if self._segment is None:
            raise InvalidMatroskaError("not Matroska: the bytes do not begin with an EBML header")
        if element_id == ebml.SEGMENT:
            self._segment.enter()
            self._position = payload_at
            return True
        if element_id == ebml.CLUSTER:
            done += self._segment.start_cluster()
            self._cluster = OpenCluster(
                self._position, payload_at, size, self._segment.timecode_scale_ns, self._max_bytes
            )
            self._position = payload_at
            return True
        if element_id not in segment.LEVEL_1 and element_id not in _GLOBAL:
            raise InvalidMatroskaError(f"not Matroska: element 0x{element_id:X} may not stand in a Segment")
        return self._level_1(element_id, size, payload_at, done)

    def _level_1(self, element_id: int, size: int, payload_at: int, done: list[Fragment]) -> bool:
        assert self._segment is not None
        if size == ebml.UNKNOWN_SIZE:
            raise InvalidMatroskaError(f"not Matroska: element 0x{element_id:X} has no size")
        if not self._segment.keeps(element_id, size):
            self._position, self._skip = payload_at, size
            return True
        if payload_at + size > len(self._buffer):
            return self._need(payload_at + size)
        raw = bytes(self._buffer[self._position : payload_at + size])
        done += self._segment.add(element_id, raw, raw[payload_at - self._position :])
        self._position = payload_at + size
        return True

    def _start_segment(self, size: int, payload_at: int, done: list[Fragment]) -> bool:
        if self._segment and self._single_segment:
            raise InvalidMatroskaError("a second EBML header: one request carries one Matroska Segment")
        if size == ebml.UNKNOWN_SIZE or size > segment.MAX_HEADER_BYTES:
            raise InvalidMatroskaError("not Matroska: the EBML header has no sensible size")
        if payload_at + size > len(self._buffer):
            return self._need(payload_at + size)
        raw = bytes(self._buffer[self._position : payload_at + size])
        if self._segment:
            done += self._segment.flush()
        self._segment = OpenSegment(raw, raw[payload_at - self._position :])
        self._position = payload_at + size
        return True

    def _close(self, cluster: OpenCluster, done: list[Fragment]) -> None:
        assert self._segment is not None
        self._cluster = None
        done += self._segment.add_fragment(
            cluster.cut(self._buffer, self._position), known_size=cluster.end is not None
        )

    def _drop_used(self) -> None:
        """Forget what is done with; an open cluster stays, since its blocks point into the buffer."""
        start = self._cluster.start if self._cluster else self._position
        if start:
            del self._buffer[:start]
            self._position -= start
            self._wanted -= start
            if self._cluster:
                self._cluster.shift(start)
