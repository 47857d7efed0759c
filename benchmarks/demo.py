"""The main job on real video: from a frame in front of the camera to the alert in somebody's hands."""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement

SIGHTLINE = Path(sys.executable).parent / "sightline"


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _descendants(int(child))


def _proportional_megabytes(pid: int) -> float:
    """PSS: shared pages are counted once over all processes, as a person counts memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


class _PeakMemory(threading.Thread):
    """Samples the memory of a process and all its descendants until it ends."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        super().__init__(daemon=True)
        self.process, self.peak = process, 0.0

    def run(self) -> None:
        while self.process.poll() is None:
            total = 0.0
            for pid in _descendants(self.process.pid):
                try:
                    total += _proportional_megabytes(pid)
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue  # it ended between the listing and the look
            self.peak = max(self.peak, total)
            time.sleep(0.5)


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [SIGHTLINE, "demo", "--json", "--keep", folder], stdout=subprocess.PIPE, text=True
        )
        memory = _PeakMemory(process)
        memory.start()
        assert process.stdout is not None
        events = [json.loads(line) for line in process.stdout]
        if process.wait() != 0:
            raise RuntimeError(f"sightline demo ended with exit code {process.returncode}")
        seconds = time.perf_counter() - begin
        memory.join()
    latencies = [event["frame_to_alert_ms"] for event in events if event["event"] == "alert"]
    yield Measurement("frame to alert", statistics.median(latencies), "ms", goal=3000)
    yield Measurement("demo, start to finish", seconds, "s", goal=60)
    yield Measurement("demo, peak memory", memory.peak, "MB")
