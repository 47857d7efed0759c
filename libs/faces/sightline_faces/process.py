"""A worker process as its pool sees it: started when needed, ended when it dies, hangs or is told to."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Timer
from typing import IO

from sightline_faces.errors import FaceEngineError, PoolClosedError, WorkerError
from sightline_faces.face import Face, Picture
from sightline_faces.protocol import error_of, faces_of, receive, send_picture

START_SECONDS = 120.0
"""To load, and the first time on a machine to build, on a computer that is busy with other things."""


class WorkerProcess:
    """For one thread, except `retire`; and that thread must outlive the process.

    To the kernel a worker's parent is the thread that started it: when the thread ends, so does the worker.
    """

    def __init__(self, command: Sequence[str], deadline_seconds: float) -> None:
        self._command = command
        self._deadline_seconds = deadline_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._retired = False
        self._spawning = Lock()

    def start(self) -> None:
        """Wait until it is ready, unless it is. Raises WeightsError, BuildError or WorkerError."""
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        with self._talk(START_SECONDS) as process:
            ready = receive(_pipe(process.stdout))
            if ready is None:
                raise EOFError
            if "error" in ready[0]:
                raise error_of(ready[0])

    def analyse(self, rgb: Picture, *, largest_only: bool, photo: bool) -> list[Face]:
        """Raises WorkerError when the process ends or is late; the next call then starts another."""
        self.start()
        with self._talk(self._deadline_seconds) as process:
            send_picture(_pipe(process.stdin), rgb, largest_only=largest_only, photo=photo)
            answer = receive(_pipe(process.stdout))
            if answer is None:
                raise EOFError
            return faces_of(answer)

    def retire(self) -> None:
        """From any thread: end the process for good; whoever waits for it gets a PoolClosedError at once."""
        with self._spawning:
            self._retired = True
            self._kill()

    def stop(self) -> None:
        """End the process; the next call starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was still to be written for a process that is gone
                _pipe(pipe).close()

    @contextmanager
    def _talk(self, seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
        """Kill the process when the talk takes too long; whichever way it fails, end the process."""
        process = self._process or self._spawn()
        watchdog = Timer(seconds, self._kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield process
        except (OSError, EOFError) as error:
            self.stop()
            raise self._loss(seconds) from error
        except FaceEngineError:
            self.stop()
            raise
        finally:
            watchdog.cancel()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self._spawning:
            if self._retired:
                raise PoolClosedError("the face pool was closed")
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # There is a process per core: threads of numpy's linear algebra would only take memory.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                # Ctrl-C at a terminal must reach the pool's process alone, which then ends its workers.
                process_group=0,
            )
            return self._process

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            process.kill()

    def _loss(self, seconds: float) -> FaceEngineError:
        if self._retired:
            return PoolClosedError("the face pool was closed")
        return WorkerError(f"a face worker crashed, or did not answer within {seconds:g} seconds")


def worker_command(min_face_px: int, cache_dir: Path | None) -> list[str]:
    # -P: a file called numpy.py in the current directory must not become the worker's numpy.
    command = [sys.executable, "-P", "-m", "sightline_faces.worker"]
    command += ["--parent", str(os.getpid()), "--min-face-px", str(min_face_px)]
    return [*command, "--cache-dir", str(cache_dir.absolute())] if cache_dir else command


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # both were asked for when the process was started
    return pipe
