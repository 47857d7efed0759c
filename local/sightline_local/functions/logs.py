"""The log file of a function: a line per event, with its time and the log stream of its sandbox.

    2026-11-22T20:31:05.417Z 2026/11/22/[$LATEST]0c8f… START RequestId: 7d1e… Version: $LATEST

We alone write it: what sandboxes print comes through their pipes (output.py).
"""

import logging
import time
from pathlib import Path
from threading import Lock

_logger = logging.getLogger(__name__)
_FULL_BYTES = 10 << 20  # then the file becomes NAME.log.1, in place of the former one
_RETRY_SECONDS = 5.0


def log_files(path: Path) -> list[Path]:
    """The files of a log that are there, the older one first."""
    return [file for file in (_former(path), path) if file.exists()]


def _former(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


class FunctionLog:
    """Appended to in the order of time; a disk that is full costs lines, never an invocation."""

    def __init__(self, path: Path, full_bytes: int = _FULL_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._full_bytes = full_bytes
        self._lock = Lock()
        self._file = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._last = 0.0
        self._second = (0, b"")
        self._trouble = False
        self._again = 0.0  # when a disk that was full is tried again

    def write(self, stream: str, text: bytes) -> None:
        """Append lines, each with its newline."""
        with self._lock:
            if self._file.closed or (self._trouble and time.monotonic() < self._again):
                return
            prefix = self._time() + f" {stream} ".encode()
            lines = prefix + text[:-1].replace(b"\n", b"\n" + prefix) + b"\n"
            try:
                self._append(b"\n" + lines if self._trouble else lines)  # the last one may have been cut
                self._trouble = False
            except OSError as error:
                self._fail(error)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _append(self, lines: bytes) -> None:
        if self._size and self._size + len(lines) > self._full_bytes:
            self._rotate()
        view = memoryview(lines)
        while view:  # a disk that is nearly full takes a part
            written = self._file.write(view) or 0
            self._size += written
            view = view[written:]

    def _rotate(self) -> None:
        if self.path.exists():  # else the last attempt came as far as this
            self.path.replace(_former(self.path))
        fresh = self.path.open("ab", buffering=0)
        self._file.close()
        self._file, self._size = fresh, 0

    def _fail(self, error: OSError) -> None:
        """Say it once until it works again."""
        if not self._trouble:
            _logger.error("%s: %s; what the function prints is lost meanwhile", self.path, error.strerror)
        self._trouble, self._again = True, time.monotonic() + _RETRY_SECONDS

    def _time(self) -> bytes:
        """Now, never earlier than the line before: readers search the file by time."""
        self._last = now = max(self._last, time.time())
        second = int(now)
        if self._second[0] != second:
            self._second = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return b"%s.%03dZ" % (self._second[1], int((now - second) * 1000))
