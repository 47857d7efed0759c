"""The main job on real video: from a frame in front of the camera to the alert in somebody's hands."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement
from benchmarks.processes import PeakMemory

SIGHTLINE = Path(sys.executable).parent / "sightline"


def run() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [SIGHTLINE, "demo", "--json", "--keep", folder], stdout=subprocess.PIPE, text=True
        )
        memory = PeakMemory(process)
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
