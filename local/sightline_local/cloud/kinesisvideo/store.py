"""Video streams and their fragments: what the control plane, PutMedia and GetMedia share."""

import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, RLock, Thread

from sightline_local.cloud.kinesisvideo.kept_video import KeptStreams, StoredFragment
from sightline_local.cloud.kinesisvideo.ring import FragmentRing, NewFragment, StreamGoneError
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.state import Facts, FactsNotKeptError

_log = logging.getLogger(__name__)

MEMORY_BYTES_PER_STREAM = 64_000_000


class FragmentStore:
    """Safe for threads. What memory does not hold goes to `folder`, or to a temporary one until close.

    With facts that are kept everything goes to a folder beside them, and is there again at the next start.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        memory_bytes_per_stream: int = MEMORY_BYTES_PER_STREAM,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        facts: Facts | None = None,
    ) -> None:
        facts = facts or Facts.none()
        self._folder = facts.folder / "fragments" if facts.folder else folder
        self._kept = KeptStreams(facts)
        self._keeps = facts.keeps
        self._temporary: Path | None = None
        self._remove_temporary: Callable[[], object] = lambda: None
        self._memory_bytes = memory_bytes_per_stream
        self._clock = clock
        self._streams: dict[str, VideoStream] = {}
        self._rings: dict[str, FragmentRing] = {}
        self._lock = RLock()
        self._opening = Lock()
        self._streams.update({stream.name: stream for stream in self._kept.all()})
        self._unopened = {stream.arn for stream in self._streams.values()}

    def begin(self) -> None:
        """Read the lists of fragments of the last start in the background; who needs one at once reads it."""
        if self._keeps:
            Thread(target=self._open_all, name="video-restore", daemon=True).start()

    def _open_all(self) -> None:
        try:
            if self._folder:
                self._kept.remove_other_folders(self._folder)
            for stream in self.streams():
                self._ring(stream)
        except (StreamGoneError, FactsNotKeptError) as error:
            _log.info("not every video stream was read: %s", error)  # deleted meanwhile, or the runtime stops

    def now(self) -> datetime:
        return self._clock()

    # ------------------------------------------------------------------ streams

    def add(self, stream: VideoStream) -> bool:
        """False when a stream of that name is still there."""
        with self._lock:
            if self.named(stream.name):
                return False
            self._kept.keep(stream)
            self._streams[stream.name] = stream
            self._rings[stream.arn] = self._new_ring(stream)
            return True

    def _new_ring(self, stream: VideoStream) -> FragmentRing:
        return FragmentRing(
            lambda: self._spill_folder() / stream.slug,
            self._memory_bytes,
            lambda: self._clock().timestamp(),
            self._kept.fragments_of(stream) if self._keeps else None,
        )

    def named(self, name: str) -> VideoStream | None:
        with self._lock:
            stream = self._streams.get(name)
            if stream and stream.is_gone(self._clock()):
                del self._streams[name]
                return None
            return stream

    def with_arn(self, arn: str) -> VideoStream | None:
        stream = self.named(arn.split("/")[1]) if arn.count("/") == 2 else None
        return stream if stream and stream.arn == arn else None

    def streams(self) -> list[VideoStream]:
        """In the order of their names."""
        with self._lock:
            return [stream for name in sorted(self._streams) if (stream := self.named(name))]

    def replace(self, stream: VideoStream) -> None:
        """Put the changed stream in the place of the one with its name."""
        ring = self._ring(stream)
        with self._lock:
            (self._kept.forget if stream.deleted_at else self._kept.keep)(stream)
            self._streams[stream.name] = stream
            if stream.deleted_at:
                self._rings.pop(stream.arn, None)
        if stream.deleted_at:
            ring.forget()
            self._kept.forget(stream)  # with what arrived meanwhile
        else:
            ring.expire(stream.retention_hours)

    # ------------------------------------------------------------------ fragments

    def next_number(self, stream: VideoStream) -> str:
        return self._ring(stream).next_number()

    def append(self, stream: VideoStream, number: str, fragment: NewFragment) -> StoredFragment:
        """Keep it, and wake whoever waits for it.

        StreamGoneError when the stream is no more, FragmentNotKeptError when there is no room.
        """
        current = self.with_arn(stream.arn) or stream
        return self._ring(stream).append(number, fragment, current.retention_hours)

    def wait_after(self, stream: VideoStream, number: int, seconds: float) -> StoredFragment | None:
        return self._ring(stream).wait_after(number, seconds)

    def newest_number(self, stream: VideoStream) -> int:
        return self._ring(stream).newest_number()

    def fragments(self, stream: VideoStream) -> list[StoredFragment]:
        return self._ring(stream).fragments()

    def find(self, stream: VideoStream, number: str) -> StoredFragment | None:
        return self._ring(stream).find(number)

    def media(self, stream: VideoStream, fragment: StoredFragment) -> bytes | None:
        return self._ring(stream).media(fragment)

    def close(self) -> None:
        """Forget every fragment, and remove the files that were not to be kept."""
        with self._lock:
            rings = list(self._rings.values())
        for ring in rings:
            if self._keeps:
                ring.close()
            else:
                ring.forget()
        self._remove_temporary()

    def _ring(self, stream: VideoStream) -> FragmentRing:
        ring = self._rings.get(stream.arn) or self._opened(stream)
        if ring is None:
            raise StreamGoneError
        return ring

    def _opened(self, stream: VideoStream) -> FragmentRing | None:
        """A day of a camera takes a second or two to read: others need not wait for it."""
        with self._opening:
            if stream.arn in self._unopened:
                ring = self._new_ring(stream)
                ring.expire(stream.retention_hours)
                self._rings[stream.arn] = ring
                self._unopened.discard(stream.arn)
            return self._rings.get(stream.arn)

    def _spill_folder(self) -> Path:
        if self._folder:
            return self._folder
        with self._lock:
            if self._temporary is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="sightline-video-"))
                # Also when nobody calls close: at the end of the process at the latest.
                self._remove_temporary = weakref.finalize(
                    self, shutil.rmtree, self._temporary, ignore_errors=True
                )
            return self._temporary
