"""Video streams and their fragments: what the control plane, PutMedia and GetMedia share."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from sightline_local.cloud.kinesisvideo.ring import FragmentRing, NewFragment, StoredFragment, StreamGoneError
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream

MEMORY_BYTES_PER_STREAM = 64_000_000


class FragmentStore:
    """Safe for threads. What memory does not hold goes to `folder`, or to a temporary one until close."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        memory_bytes_per_stream: int = MEMORY_BYTES_PER_STREAM,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._temporary: Path | None = None
        self._remove_temporary: Callable[[], object] = lambda: None
        self._memory_bytes = memory_bytes_per_stream
        self._clock = clock
        self._streams: dict[str, VideoStream] = {}
        self._rings: dict[str, FragmentRing] = {}
        self._lock = RLock()

    def now(self) -> datetime:
        return self._clock()

    # ------------------------------------------------------------------ streams

    def add(self, stream: VideoStream) -> bool:
        """False when a stream of that name is still there."""
        with self._lock:
            if self.named(stream.name):
                return False
            self._streams[stream.name] = stream
            name = stream.arn.rpartition("stream/")[2].replace("/", "-")
            self._rings[stream.arn] = FragmentRing(
                lambda: self._spill_folder() / name, self._memory_bytes, lambda: self._clock().timestamp()
            )
            return True

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
        with self._lock:
            self._streams[stream.name] = stream
            ring = self._rings.pop(stream.arn) if stream.deleted_at else self._rings[stream.arn]
        if stream.deleted_at:
            ring.close()
        else:
            ring.expire(stream.retention_hours)

    # ------------------------------------------------------------------ fragments

    def next_number(self, stream: VideoStream) -> str:
        return self._ring(stream).next_number()

    def append(self, stream: VideoStream, number: str, fragment: NewFragment) -> StoredFragment:
        """Keep it, and wake whoever waits for it; StreamGoneError when the stream is no more."""
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
        """Forget every fragment, and remove the files."""
        with self._lock:
            rings = list(self._rings.values())
        for ring in rings:
            ring.close()
        self._remove_temporary()

    def _ring(self, stream: VideoStream) -> FragmentRing:
        with self._lock:
            ring = self._rings.get(stream.arn)
        if ring is None:
            raise StreamGoneError
        return ring

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
