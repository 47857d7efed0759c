"""A job that goes on from a checkpoint or a savepoint: nothing is lost, and what comes twice is the same."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob
from sightline_local.runtime import Runtime
from tests.downstream.flink.expected import expected
from tests.downstream.flink.sent import in_time
from tests.downstream.flink.streams import OPTIONS, Streams, of_query

EACH_ONCE = ("people_per_minute", "busiest_devices", "journeys", "late_sightings", "crowding")
PATIENCE_SECONDS = 90
pytestmark = pytest.mark.timeout(900)  # two Javas, one after the other


@pytest.fixture
def runtime(flink_home: None) -> Iterator[Runtime]:
    with Runtime(OPTIONS) as running:
        yield running


def test_a_job_that_was_killed_goes_on_from_its_checkpoint_and_loses_nothing(
    runtime: Runtime, tmp_path: Path
) -> None:
    streams, sent, kept = Streams(runtime), in_time(), tmp_path / "kept"
    places = (len(sent) // 3, 2 * len(sent) // 3)
    parts = (sent[: places[0]], sent[places[0] : places[1]], sent[places[1] :])

    restore = None
    for part in parts[:-1]:
        with _job(runtime, tmp_path, kept=kept, restore=restore) as job:
            job.wait_running()
            streams.send(part)
            restore = _newer_checkpoint(kept, restore)
            job.kill()
    with _job(runtime, tmp_path, kept=kept, restore=restore) as job:
        job.wait_running()
        streams.send(parts[-1])
        job.drain()

    assert restore is not None
    _agree_as_sets(streams, sent)


def test_a_job_that_was_stopped_for_a_while_goes_on_with_its_open_windows(
    runtime: Runtime, tmp_path: Path
) -> None:
    streams, sent = Streams(runtime), in_time()
    middle = len(sent) // 2 + 7  # in the middle of a minute
    with _job(runtime, tmp_path, kept=tmp_path / "kept", suspend=True) as job:
        job.wait_running()
        streams.send(sent[:middle])
        job.wait_read(middle, PATIENCE_SECONDS)
        job.drain()
        savepoint = job.savepoint
    streams.send(sent[middle:])

    with _job(runtime, tmp_path, restore=savepoint) as job:
        job.wait_running()
        job.drain()

    _agree_as_sets(streams, sent)
    rows = streams.results()
    for query in EACH_ONCE:
        assert len(of_query(rows, query)) == len({*of_query(rows, query)}), f"{query}: a row came twice"


def _job(runtime: Runtime, folder: Path, **how: Any) -> FlinkJob:
    return FlinkJob(flink.properties(runtime), flink.environment(runtime), folder, **how)


def _agree_as_sets(streams: Streams, sent: list[bytes]) -> None:
    """At least once: the same row may come again, another one for it may not."""
    rows, wanted = streams.results(), expected(sent)
    for query in (*EACH_ONCE, "malformed_records"):
        assert {*of_query(rows, query)} == {*of_query(wanted, query)}, query


def _newer_checkpoint(kept: Path, than: str | None) -> str:
    """The address of one that was completed after now."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = {*_checkpoints(kept)}
    while not (found := [each for each in _checkpoints(kept) if each not in before]):
        assert time.monotonic() < deadline, f"no checkpoint after {than}"
        time.sleep(0.2)
    return max(found, key=lambda each: each.stat().st_mtime).as_uri()


def _checkpoints(kept: Path) -> list[Path]:
    found = [each.parent for each in kept.rglob("_metadata")]
    return [each for each in found if re.fullmatch(r"chk-\d+", each.name)]
