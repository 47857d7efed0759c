"""The log file of a function: what it prints, between the START, END and REPORT lines of Lambda."""

import math
from contextlib import suppress
from pathlib import Path

_TAIL_BYTES = 4096


class FunctionLog:
    """Appended to by the function's processes and by us; one line is one write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("ab", buffering=0)

    def start(self, request_id: str) -> int:
        """Write the START line; return where it begins."""
        begin = self._path.stat().st_size
        self.line(f"START RequestId: {request_id} Version: $LATEST")
        return begin

    def end(self, request_id: str, seconds: float, memory_mb: int, peak_mb: int, init: float | None) -> None:
        cold = f"\tInit Duration: {init * 1000:.2f} ms" if init is not None else ""
        self.line(f"END RequestId: {request_id}")
        self.line(
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
            f"Billed Duration: {math.ceil(seconds * 1000)} ms\tMemory Size: {memory_mb} MB\t"
            f"Max Memory Used: {peak_mb} MB{cold}"
        )

    def line(self, text: str) -> None:
        # Closed: the runtime ends while the function still runs. A full disk costs the line, not the call.
        with suppress(ValueError, OSError):
            self._file.write(f"{text}\n".encode())

    def tail(self, begin: int) -> bytes:
        """The last 4 KB since `begin`."""
        with self._path.open("rb") as file:
            file.seek(max(begin, self._path.stat().st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
