"""Pictures in, faces out, in one worker process per core: dlib keeps the GIL, so threads would be no use."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Self

from sightline_faces.engine import DEFAULT_MIN_FACE_PX, check_min_face_px, checked_picture
from sightline_faces.errors import PoolClosedError, WorkerError
from sightline_faces.face import Face, Picture
from sightline_faces.process import WorkerProcess, worker_command

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class _Job:
    do: Callable[[WorkerProcess], Any]
    result: Future[Any]


@dataclass(slots=True)
class _Lane:
    """One worker and the thread that alone talks to it."""

    worker: WorkerProcess
    own_jobs: deque[_Job] = field(default_factory=deque)
    thread: Thread | None = None


class FacePool:
    """Starts its workers as work arrives, or all with `warm`; they end with `close`, or with this process.

    A worker that dies, or takes more than `deadline_seconds` over a picture, is replaced, and its picture
    tried once more. Any thread may call any method. `command` starts a worker, if not the usual one.
    """

    def __init__(
        self,
        workers: int | None = None,
        min_face_px: int = DEFAULT_MIN_FACE_PX,
        *,
        cache_dir: Path | None = None,
        deadline_seconds: float = 30.0,
        command: Sequence[str] | None = None,
    ) -> None:
        check_min_face_px(min_face_px)
        command = command or worker_command(min_face_px, cache_dir)
        self._lanes = [_Lane(WorkerProcess(command, deadline_seconds)) for _ in range(workers or cores())]
        self._jobs: deque[_Job] = deque()
        self._changed = Condition()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self) -> None:
        """Start every worker and wait until all are ready. Raises WeightsError, BuildError or WorkerError."""
        started = [self._put(lane.own_jobs, WorkerProcess.start) for lane in self._lanes]
        for one in started:
            one.result()

    def submit(self, rgb: Picture, *, largest_only: bool = False, photo: bool = False) -> Future[list[Face]]:
        """As FaceEngine.analyse, later; `rgb` must not change until then.

        The future may raise WorkerError, PoolClosedError, WeightsError or BuildError.
        """
        analyse = partial(
            WorkerProcess.analyse, rgb=checked_picture(rgb), largest_only=largest_only, photo=photo
        )
        return self._put(self._jobs, analyse)

    def close(self) -> None:
        """End the workers now; what they have not answered gets a PoolClosedError."""
        with self._changed:
            self._closed = True
            queues = [self._jobs, *(lane.own_jobs for lane in self._lanes)]
            waiting = [job for queue in queues for job in queue]
            for queue in queues:
                queue.clear()
            self._changed.notify_all()
        for job in waiting:
            _fail(job.result, PoolClosedError("the face pool was closed"))
        for lane in self._lanes:
            lane.worker.retire()
        for lane in self._lanes:
            if lane.thread is not None:
                lane.thread.join()

    def _put(self, jobs: deque[_Job], do: Callable[[WorkerProcess], Any]) -> Future[Any]:
        job = _Job(do, Future())
        with self._changed:
            if self._closed:
                raise PoolClosedError("the face pool is closed")
            self._start_threads()
            jobs.append(job)
            self._changed.notify_all()
        return job.result

    def _start_threads(self) -> None:
        for number, lane in enumerate(self._lanes):
            if lane.thread is None:
                lane.thread = Thread(target=self._run, args=(lane,), name=f"faces-{number}", daemon=True)
                lane.thread.start()

    def _run(self, lane: _Lane) -> None:
        try:
            while (job := self._next_job(lane)) is not None:
                _perform(job, lane.worker)
        finally:
            lane.worker.stop()

    def _next_job(self, lane: _Lane) -> _Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or lane.own_jobs or self._jobs)
            if self._closed:
                return None
            return (lane.own_jobs or self._jobs).popleft()


def cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _perform(job: _Job, worker: WorkerProcess) -> None:
    if not job.result.set_running_or_notify_cancel():
        return
    try:
        job.result.set_result(_tried_again(job.do, worker))
    except Exception as error:  # noqa: BLE001 (it is for whoever waits for the result, as in every executor)
        job.result.set_exception(error)


def _tried_again(do: Callable[[WorkerProcess], Any], worker: WorkerProcess) -> Any:
    for _ in range(ATTEMPTS - 1):
        try:
            return do(worker)
        except WorkerError:
            # The worker may have been killed from outside; a picture that kills it does so again.
            continue
    return do(worker)


def _fail(result: Future[Any], error: Exception) -> None:
    if result.set_running_or_notify_cancel():
        result.set_exception(error)
