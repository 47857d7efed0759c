"""A job that cannot go on says why in one line, and leaves nothing behind."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob
from sightline_cli.errors import CliError
from sightline_local.runtime import Runtime
from tests.downstream.flink.streams import OPTIONS

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def runtime(flink_home: None) -> Iterator[Runtime]:
    with Runtime(OPTIONS) as running:
        yield running


def test_an_unknown_stream_is_named(runtime: Runtime, tmp_path: Path) -> None:
    groups = flink.properties(runtime)
    wrong = {**groups, "sightings": {**groups["sightings"], "stream": "no-such-stream"}}

    with (
        FlinkJob(wrong, flink.environment(runtime), tmp_path) as job,
        pytest.raises(CliError, match=r"the Flink job failed: .*no-such-stream"),
    ):
        _until_the_end(job)
    deadline = time.monotonic() + 20
    while _processes_of_group(job.process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _processes_of_group(job.process.pid) == []


def test_an_option_that_the_connector_does_not_have_is_named(runtime: Runtime, tmp_path: Path) -> None:
    groups = flink.properties(runtime)
    wrong = {**groups, "results": {**groups["results"], "no.such.option": "1"}}

    with (
        FlinkJob(wrong, flink.environment(runtime), tmp_path) as job,
        pytest.raises(CliError, match=r"the Flink job failed: .*no\.such\.option") as failed,
    ):
        job.wait_running(120)
    assert "\n" not in str(failed.value)


def _until_the_end(job: FlinkJob) -> None:
    job.wait_running(120)
    job.wait_ended(120)


def _processes_of_group(leader: int) -> list[str]:
    """Those that run: who is dead may be there until somebody looks at it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            found += [process.name] if int(group) == leader and state != "Z" else []
    return found
