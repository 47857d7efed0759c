"""How long each function takes to import, against the bare SDK that each of them needs."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement

REPOSITORY = Path(__file__).resolve().parent.parent
ROUNDS = 7
HANDLERS = {
    "boto3 alone": "boto3",
    "devices_api": "functions.devices_api.handler",
    "watchlist_api": "functions.watchlist_api.handler",
    "consume_face_records": "functions.consume_face_records.handler",
    "plan_device": "functions.device_lifecycle.plan_device",
    "explain_failure": "functions.device_lifecycle.explain_failure",
}
PROGRAM = "import time; begin = time.perf_counter(); import {module}; print(time.perf_counter() - begin)"


def _import_seconds(module: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def run() -> Iterator[Measurement]:
    """Rounds are interleaved, so that a noisy neighbour disturbs all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in HANDLERS}
    for _ in range(ROUNDS):
        for name, module in HANDLERS.items():
            seconds[name].append(_import_seconds(module))
    for name, values in seconds.items():
        yield Measurement(f"import {name}", statistics.median(values) * 1000, "ms")
