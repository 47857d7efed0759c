"""What a process and its descendants use, as Linux counts it."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.5


def descendants(pid: int) -> Iterator[int]:
    """The process itself, its children, theirs, and so on."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in children.read_text().split():
                yield from descendants(int(child))


def megabytes(pid: int) -> float:
    """PSS of the whole family: shared pages are counted once, as a person counts memory."""
    return sum(_proportional_kilobytes(each) for each in descendants(pid)) / 1024


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole family, with children that have ended."""
    return sum(_ticks(each) for each in descendants(pid)) / _TICKS_PER_SECOND


class PeakMemory(threading.Thread):
    """Samples the memory of a process and all its descendants until it ends."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        super().__init__(daemon=True)
        self.process, self.peak = process, 0.0

    def run(self) -> None:
        while self.process.poll() is None:
            self.peak = max(self.peak, megabytes(self.process.pid))
            time.sleep(_SAMPLE_SECONDS)


def _proportional_kilobytes(pid: int) -> int:
    # It may end between the listing and the look.
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _ticks(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        # After the name in parentheses, which may hold anything: utime, stime, cutime, cstime.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(each) for each in fields[11:15])
    return 0
