"""The streaming SQL: how many sightings a second all its queries together take, with JSON in and JSON out."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measure import Measurement
from benchmarks.sighting import sighting
from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob, Properties

ROWS, PEOPLE, DEVICES = 800_000, 200, 20
PATIENCE_SECONDS = 600
# A visit is about a minute of one sighting a second; 200 people at a time are 200 sightings a second.
SIGHTINGS_A_VISIT = 60
FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
SEED = 7


def run() -> Iterator[Measurement]:
    if reason := flink.missing():
        print(f"flink: {reason}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as name:
        folder = Path(name)
        _write_rows(folder / "sightings.json")
        speed = _speed(folder)
        if _counted(folder / "results") != ROWS:
            raise RuntimeError("the windows do not have every sighting once")
    yield Measurement("streaming SQL, all queries", speed, "records/s", goal=20_000, better="higher")


def _speed(folder: Path) -> float:
    """Records a second once Java has compiled what it runs: a job on the service runs for months."""
    with FlinkJob(_properties(folder), {}, folder, memory_mb=1024) as job:
        job.wait_read(ROWS // 2, PATIENCE_SECONDS)
        begin, read = time.perf_counter(), job.records_read
        job.wait_ended(PATIENCE_SECONDS)
        return (ROWS - read) / (time.perf_counter() - begin)


def _properties(folder: Path) -> Properties:
    """Files instead of streams: a Kinesis of our own on the same two cores would be what is measured."""
    places = {"sightings": "sightings.json", "results": "results", "crowding": "crowding"}
    groups = {
        group: {"connector": "filesystem", "path": str(folder / place)} for group, place in places.items()
    }
    return {**groups, "job": {}}


def _counted(results: Path) -> int:
    rows = (json.loads(line) for file in results.rglob("*") if file.is_file() for line in file.open())
    return sum(row["sightings"] for row in rows if row["query"] == "people_per_minute")


def _write_rows(file: Path) -> None:
    chance = Random(SEED)
    with file.open("w") as lines:
        for number in range(ROWS):
            lines.write(json.dumps(_row(number, chance)) + "\n")


def _row(number: int, chance: Random) -> dict[str, Any]:
    visitor, turn = number % PEOPLE, number // PEOPLE
    at = FIRST + timedelta(milliseconds=number * 1000 // PEOPLE)
    device = f"gate-{(visitor + turn // SIGHTINGS_A_VISIT) % DEVICES}"
    visit = f"{visitor}-{turn // SIGHTINGS_A_VISIT}"
    is_known = visitor % 10 != 0
    return sighting(
        chance, number, at, device=device, name=f"person-{visitor}", is_known=is_known, visit=visit
    )
