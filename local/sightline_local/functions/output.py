"""What one sandbox prints, on its way from its pipe into the log of the function.

A pipe, so that a full disk or a slow one is our trouble and never the function's. It is emptied at the end of
each invocation, and every few milliseconds while one runs (overseer.py): a flood waits in the pipe, not in
our memory.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from threading import Lock

from sightline_local.functions.logs import FunctionLog

_PIPE_BYTES = 256 * 1024
_READ_BYTES = 64 * 1024
_LONGEST_EVENT = 256 * 1024  # a longer line becomes several, as in CloudWatch Logs
_MOST_READS = 16  # in a row: one flood must not keep us from the other sandboxes
_TAIL_BYTES = 4096


class Output:
    """One log stream; without a log nothing but the tail of an invocation is kept."""

    def __init__(self, log: FunctionLog | None, stream: str) -> None:
        self._log = log
        self._stream = stream
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        with contextlib.suppress(OSError, AttributeError):  # macOS makes its pipes larger by itself
            fcntl.fcntl(self._read_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._lock = Lock()
        self._ours = b""  # lines of Lambda's that wait for the next write
        self._unended = b""  # the beginning of a line
        self._tail = b""
        self._closed = False

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[int]:
        """The end that the sandbox writes to; it has its own copy when the block ends."""
        try:
            yield self._write_end
        finally:
            os.close(self._write_end)

    def say(self, lines: str) -> None:
        """Lines of Lambda's own, behind what the sandbox has said so far."""
        with self._lock:
            self._drain()
            self._ours += self._rest() + lines.encode()

    def drain(self) -> bool:
        """Pass on what is there; whether there is likely more."""
        with self._lock:
            more = self._drain()
            self._write(self._ours)
            self._ours = b""
            return more

    def end(self, lines: str) -> bytes:
        """Pass on all that the invocation said, then `lines`; return the last 4 KB of both."""
        with self._lock:
            self._drain()
            self._write(self._ours + self._rest() + lines.encode())
            tail, self._tail, self._ours = self._tail, b"", b""
            return tail

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._drain()
                self._closed = True
                os.close(self._read_end)

    def _drain(self) -> bool:
        for _ in range(_MOST_READS):
            said = self._read()
            if said:
                self._pass_on(said)
            if len(said) < _READ_BYTES:
                return False
        return True

    def _read(self) -> bytes:
        try:
            return b"" if self._closed else os.read(self._read_end, _READ_BYTES)
        except BlockingIOError:
            return b""

    def _rest(self) -> bytes:
        """The line that the sandbox did not end; we do."""
        rest, self._unended = self._unended, b""
        return rest and rest + b"\n"

    def _pass_on(self, said: bytes) -> None:
        whole, newline, rest = (self._unended + said).rpartition(b"\n")
        if len(rest) >= _LONGEST_EVENT:
            whole, newline, rest = whole + newline + rest, b"\n", b""
        self._unended = rest
        if newline:
            self._write(self._ours + whole + newline)
            self._ours = b""

    def _write(self, lines: bytes) -> None:
        if lines:
            self._tail = (self._tail + lines[-_TAIL_BYTES:])[-_TAIL_BYTES:]
            if self._log:
                self._log.write(self._stream, lines)
