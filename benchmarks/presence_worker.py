"""The presence worker: how many sightings a record processor keeps, with the local stack's tables."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.kcl_daemon import StandInDaemon
from benchmarks.measure import Measurement
from benchmarks.world import TEMPLATE
from sightline_cli.downstream import presence
from sightline_local.runtime import Runtime, RuntimeOptions

# What ten devices see of five people each, five frames a second: 40 seconds of it are a batch.
BATCHES, RECORDS_PER_BATCH, PEOPLE, DEVICES = 20, 2000, 50, 10
FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
PARAMETERS = {"Presence": "true", "Lake": "false"}


def run() -> Iterator[Measurement]:
    if reason := presence.missing():
        print(reason, file=sys.stderr)
        return
    options = RuntimeOptions(template=TEMPLATE, api_port=0, aws_port=0, parameters=PARAMETERS)
    with Runtime(options) as runtime, tempfile.TemporaryDirectory() as scratch:
        environment = presence.of_process(presence.environment(runtime), Path(scratch))
        command = [str(presence.python()), "-m", "presence_worker"]
        with (
            Path(scratch, "said").open("w") as said,
            StandInDaemon(command, environment, said) as processor,
        ):
            seconds = _seconds(processor)
    yield Measurement(
        "presence, one record processor", BATCHES * RECORDS_PER_BATCH / seconds, "records/s",
        goal=3_000, better="higher",
    )  # fmt: skip


def _seconds(processor: StandInDaemon) -> float:
    batches = [_batch(number) for number in range(BATCHES + 1)]
    processor.process(batches[0])  # the first one reads everybody out of the table
    began = time.perf_counter()
    for batch in batches[1:]:
        processor.process(batch)
    return time.perf_counter() - began


def _batch(number: int) -> list[tuple[str, bytes]]:
    first = number * RECORDS_PER_BATCH
    return [(str(each), _row(each)) for each in range(first, first + RECORDS_PER_BATCH)]


def _row(number: int) -> bytes:
    person = number % PEOPLE
    row: dict[str, Any] = {
        "sighting_id": f"sighting-{number}",
        "device_id": f"device-{person % DEVICES}",
        "site": "north",
        "seen_at": (FIRST + timedelta(milliseconds=20 * number)).isoformat(),
        "person_id": f"person-{person}",
        "person_name": f"Person {person}",
        "visit_id": f"visit-{person}-{number // 10_000}",
        "watchlist_id": "default",
        "similarity": 97.5,
        "video_stream_arn": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/gate-3/1795348800000",
        "fragment_number": "91343852333181432392682062607743920517466180219",
    }
    return json.dumps(row).encode()
