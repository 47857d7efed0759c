"""One running stream processor: video in, face records out.

    GetMedia ─▶ fragments ─▶ sampled frames ─▶ workers, in parallel ─▶ search ─▶ PutRecords, in order

One thread reads and decodes, one waits for the faces and writes. The frames under way are bounded: when the
workers do not keep up, the reader waits, falls behind, and takes fewer frames of what it reads then.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, Queue
from threading import BoundedSemaphore, Event, Thread
from typing import Any

from sightline_faces import Face, FaceEngineError, WorkerError
from sightline_local.cloud.rekognition.collection import Collection
from sightline_local.cloud.rekognition.face_stream import FaceStream
from sightline_local.cloud.rekognition.face_workers import FaceWorkers
from sightline_local.cloud.rekognition.pace import seconds_between_frames
from sightline_local.cloud.rekognition.position import Position
from sightline_local.cloud.rekognition.record import FramePlace, face_record
from sightline_local.cloud.rekognition.role_session import ProcessorFailedError
from sightline_local.cloud.rekognition.video_source import VideoSource
from sightline_media import Fragment, UndecodableFragmentError
from sightline_media.frames import Frame, decode_frames

_log = logging.getLogger(__name__)

FRAMES_UNDER_WAY = 12
MAX_RECORDS_PER_PUT = 100
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Watching:
    """What a processor does: whose faces it looks for, in which video, and how sure it must be."""

    name: str
    video_stream_arn: str
    threshold: float
    collection: Callable[[], Collection | None]
    position: Position | None = None  # where it had come to, if the runtime ended under way


@dataclass(frozen=True, slots=True)
class _Analysis:
    place: FramePlace
    faces: Future[list[Face]]


class ProcessorRun:
    """Begins with `start`. `report(status, message)` tells what becomes of it, `reached` how far it came."""

    def __init__(
        self,
        watching: Watching,
        *,
        source: VideoSource,
        face_stream: FaceStream,
        pool: Callable[[], FaceWorkers],
        report: Callable[[str, str | None], None],
        stopping: Event,
        reached: Callable[[Position], None] = lambda _position: None,
    ) -> None:
        self._watching = watching
        self._source = source
        self._face_stream = face_stream
        self._pool = pool
        self._report = report
        self._stopping = stopping
        self._reached = reached
        self._began_at = time.time()
        self._stopped_on_request = False
        self._failure: Exception | None = None
        self._room = BoundedSemaphore(FRAMES_UNDER_WAY)
        self._under_way: Queue[_Analysis] = Queue()
        self._next: _Analysis | None = None  # taken from the queue, but not analysed yet
        self._arrivals: deque[float] = deque()  # server times of the frames under way
        self._reader = Thread(target=self._run, name=f"processor-{watching.name}", daemon=True)
        self._writer = Thread(target=self._write_records, name=f"records-{watching.name}", daemon=True)

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        """Ask it to end; STOPPED is reported when it has."""
        self._stopped_on_request = True
        self._end()

    def join(self, seconds: float) -> None:
        self._reader.join(seconds)

    def _end(self) -> None:
        self._stopping.set()
        self._source.interrupt()

    # ------------------------------------------------------------------ reading

    def _run(self) -> None:
        try:
            self._begin()
            self._writer.start()
            for fragment in self._source.fragments():
                self._analyse(fragment)
        except (ProcessorFailedError, FaceEngineError) as error:
            self._fail(error)
        finally:
            self._stopping.set()
            if self._writer.ident:
                self._writer.join()
            self._report_end()

    def _begin(self) -> None:
        self._face_stream.check()
        if self._watching.collection() is None:
            raise ProcessorFailedError("Collection not found")
        self._source.open()
        if self._watching.position is None and self._source.opened_at:
            self._reached(Position(self._source.opened_at))
        if not self._stopping.is_set():
            self._report("RUNNING", None)

    def _analyse(self, fragment: Fragment) -> None:
        behind = self._seconds_behind(fragment)
        every_seconds = seconds_between_frames(behind)
        if every_seconds is None:
            _log.warning("%s: %.1f s behind, skipping a fragment", self._watching.name, behind)
            return
        try:
            for frame in decode_frames(fragment, every_seconds):
                if self._was_analysed(fragment, frame):
                    continue
                if not self._submit(fragment, frame):
                    return
        except UndecodableFragmentError as error:
            _log.warning("%s: skipping a fragment: %s", self._watching.name, error)

    def _was_analysed(self, fragment: Fragment, frame: Frame) -> bool:
        before = self._watching.position
        return before is not None and before.has(fragment.number, round(frame.offset_seconds, 3))

    def _seconds_behind(self, fragment: Fragment) -> float:
        """Age of this fragment, or of the oldest one that still has frames under way."""
        now = time.time()
        arrived = self._arrival(fragment, now)
        try:
            return now - min(arrived, self._arrivals[0])
        except IndexError:
            return now - arrived

    def _arrival(self, fragment: Fragment, now: float) -> float:
        """What waited for the runtime to start again is not late because of it."""
        return max(fragment.server_timestamp or now, self._began_at if self._watching.position else 0.0)

    def _submit(self, fragment: Fragment, frame: Frame) -> bool:
        """False when the processor is to stop."""
        while not self._room.acquire(timeout=_POLL_SECONDS):
            if self._stopping.is_set():
                return False
        place = FramePlace(
            self._watching.video_stream_arn,
            fragment.number or "",
            fragment.server_timestamp or 0.0,
            fragment.producer_timestamp or 0.0,
            round(frame.offset_seconds, 3),
        )
        self._arrivals.append(self._arrival(fragment, 0.0))
        self._under_way.put(_Analysis(place, self._pool().submit(frame.rgb)))
        return True

    # ------------------------------------------------------------------ writing

    def _write_records(self) -> None:
        try:
            while not self._stopping.is_set():
                ready = self._ready()
                records = [record for one in ready if (record := self._record(one))]
                if records:
                    self._write(records, ready[-1].place)
        except (ProcessorFailedError, FaceEngineError) as error:
            self._fail(error)
        finally:
            self._end()

    def _write(self, records: list[dict[str, Any]], last: FramePlace) -> None:
        moment = datetime.now(UTC)
        self._face_stream.put(records)
        if not self._stopping.is_set():  # else it may have given up
            self._reached(Position(moment, last.fragment_number, last.frame_offset_seconds))

    def _ready(self) -> list[_Analysis]:
        """The oldest frame under way, once it is analysed, and those behind it that are analysed, too."""
        oldest = self._take(_POLL_SECONDS)
        if oldest is None or not self._is_analysed(oldest):
            self._next = oldest
            return []
        ready = [oldest]
        while len(ready) < MAX_RECORDS_PER_PUT and (another := self._take(0)):
            if not another.faces.done():
                self._next = another
                break
            ready.append(another)
        for _ in ready:
            self._arrivals.popleft()
            self._room.release()
        return ready

    def _take(self, seconds: float) -> _Analysis | None:
        kept, self._next = self._next, None
        if kept:
            return kept
        try:
            return self._under_way.get(timeout=seconds) if seconds else self._under_way.get_nowait()
        except Empty:
            return None

    @staticmethod
    def _is_analysed(analysis: _Analysis) -> bool:
        try:
            analysis.faces.exception(timeout=_POLL_SECONDS)
        except FutureTimeoutError:
            return False
        return True

    def _record(self, analysis: _Analysis) -> dict[str, Any] | None:
        try:
            faces = analysis.faces.result(timeout=0)
        except WorkerError as error:
            _log.warning("%s: a frame could not be analysed: %s", self._watching.name, error)
            return None
        collection = self._watching.collection()
        if collection is None:
            raise ProcessorFailedError("Collection not found")
        threshold = self._watching.threshold
        found = [
            (face, [] if face.descriptor is None else collection.search(face.descriptor, threshold))
            for face in faces
        ]
        return face_record(analysis.place, found)

    # ------------------------------------------------------------------ the end

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        _log.warning("%s failed: %s", self._watching.name, error)

    def _report_end(self) -> None:
        if self._stopped_on_request:
            self._report("STOPPED", None)
        else:
            self._report("FAILED", str(self._failure or "Internal error"))
