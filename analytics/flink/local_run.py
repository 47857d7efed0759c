"""The job on this machine: started, watched, and stopped so that nothing is lost. Not part of the package.

One JSON object a line on stdout: {"event": "running"}, {"event": "progress", "records": read so far}, and
last {"event": "stopped", "savepoint": …} or {"event": "failed", "message": …}. SIGTERM and SIGINT end it:
what the stream holds by then is read, every open window tells what it has (unless `--suspend`), and a
savepoint is taken.
"""

import argparse
import json
import os
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

POLL_SECONDS = 0.2
QUIET_POLLS = 4  # of 0.2 s: as often as nothing has moved, nothing is on its way
CATCH_UP_SECONDS = 300.0
POLLS_A_REPORT = 5
BEHIND = "millisBehindLatest"
READ = ".numRecordsOut"
SOURCE = "Source__records"
JAR = "build/flink/lib/pyflink-dependencies.jar"


def run(
    arguments: list[str],
    environment: Callable[[Mapping[str, str]], Any],
    submit: Callable[[Any, Any], Any],
    read_properties: Callable[[Path], Any],
) -> int:
    """Run until a signal comes or the source ends; the exit code."""
    given = _parsed(arguments)
    stop = _Signals()
    # A signal to the whole process group must not end Java before the savepoint is taken.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    with tempfile.TemporaryDirectory(prefix="sightline-flink-") as scratch:
        try:
            tables = environment(_settings(given, Path(scratch)))
            job = _Job(submit(tables, read_properties(given.properties)).get_job_client())
            if job.started():
                _tell("running")
            savepoint = _follow(job, stop, given)
        except Exception as error:  # noqa: BLE001  whatever Java throws is told in one line
            _tell("failed", message=_cause(error))
            return 1
        _tell("stopped", savepoint=savepoint)
    return 0


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="main.py", description="Streaming SQL on this machine.")
    parser.add_argument("--properties", type=Path, required=True, help="as on the service, a JSON file")
    parser.add_argument("--jar", type=Path, default=Path(__file__).resolve().parents[2] / JAR)
    parser.add_argument("--checkpoints", type=Path, help="where checkpoints and savepoints are kept")
    parser.add_argument("--restore", help="go on from this checkpoint or savepoint")
    parser.add_argument("--suspend", action="store_true", help="leave the windows open at the end")
    return parser.parse_args(arguments)


def _settings(given: argparse.Namespace, scratch: Path) -> dict[str, str]:
    kept = (given.checkpoints or scratch / "checkpoints").resolve()
    settings = {
        "pipeline.jars": given.jar.resolve().as_uri(),
        "parallelism.default": "1",
        "io.tmp.dirs": str(scratch),
        "rest.bind-address": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "metrics.fetcher.update-interval": "100",
        "execution.checkpointing.dir": (kept / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (kept / "savepoints").as_uri(),
        "execution.checkpointing.interval": "5 s",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "3",
        "restart-strategy.fixed-delay.delay": "1 s",
    }
    if given.restore:
        settings["execution.state-recovery.path"] = given.restore
    return settings


class _Signals:
    """Asked to stop?"""

    def __init__(self) -> None:
        self.came = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        self.came = True


class _Job:
    """The running job, by its client and by the REST endpoint of the mini-cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._result = client.get_job_execution_result()
        self._path = f"/jobs/{client.get_job_id()}"
        self._rest = _rest_address(client)

    def started(self) -> bool:
        """Wait until every part of it runs; False if it has ended already."""
        while not self.ended():
            with suppress(OSError):  # nobody answers once it has ended
                if {vertex["status"] for vertex in self._vertices()} <= {"RUNNING", "FINISHED"}:
                    return True
            time.sleep(POLL_SECONDS)
        return False

    def ended(self) -> bool:
        """Whether all input was read; raises what Java threw if the job failed."""
        if not self._result.done():
            return False
        self._result.result()
        return True

    def stop(self, *, drain: bool) -> str:
        """End it after a savepoint, which is there when this returns: its address."""
        return str(self._client.stop_with_savepoint(drain, None).result())

    def progress(self) -> tuple[bool, list[Any]]:
        """Has the source nothing before it, and what every part has read and written so far."""
        vertices = self._vertices()
        counts = [(each["metrics"]["read-records"], each["metrics"]["write-records"]) for each in vertices]
        behind = self._measured(lambda name: name.endswith(BEHIND), "max")
        return bool(behind) and not any(behind), [*counts, self.records_read()]

    def records_read(self) -> int:
        """Of the sightings stream, whatever they are; a job that had to start anew counts anew."""
        return int(sum(self._measured(lambda name: name.startswith(SOURCE) and name.endswith(READ), "sum")))

    def _measured(self, wanted: Callable[[str], bool], how: str) -> list[float]:
        """The metrics of the source with such names."""
        vertex = next(each["id"] for each in self._vertices() if each["name"].startswith("Source: "))
        path = f"/vertices/{vertex}/subtasks/metrics"
        names = [each["id"] for each in self._get(path) if wanted(each["id"])]
        return [each[how] for name in names for each in self._get(f"{path}?get={quote(name)}")]

    def _vertices(self) -> list[Any]:
        return list(self._get("")["vertices"])

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self._rest}{self._path}{path}", timeout=30) as answer:  # noqa: S310  our own
            return json.load(answer)


def _rest_address(client: Any) -> str:
    """Where the mini-cluster tells of itself: it takes any free port, and only Java knows which."""
    java_client = client._j_job_client  # noqa: SLF001  PyFlink has no other way
    field = java_client.getClass().getDeclaredField("miniCluster")
    field.setAccessible(True)
    return str(field.get(java_client).getRestAddress().get().toString())


def _follow(job: _Job, stop: _Signals, given: argparse.Namespace) -> str | None:
    """Until the source ends or somebody asks to stop; where the savepoint is."""
    told = polls = 0
    while not stop.came:
        if job.ended():
            return None
        polls += 1
        if polls % POLLS_A_REPORT == 0:
            told = _report(job, told)
        time.sleep(POLL_SECONDS)
    if not given.suspend:
        _catch_up(job)
    _report(job, told)
    savepoint = job.stop(drain=not given.suspend)
    return savepoint if given.checkpoints else None  # else it goes with the scratch folder


def _report(job: _Job, told: int) -> int:
    read = told
    with suppress(OSError):  # nobody answers once it has ended
        read = job.records_read()
    if read != told:
        _tell("progress", records=read)
    return read


def _catch_up(job: _Job) -> None:
    """Read what the stream holds: to the windows of a drained job nothing comes afterwards."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    before: list[Any] = []
    quiet = 0
    while quiet < QUIET_POLLS and time.monotonic() < deadline and not job.ended():
        at_the_tip, now = job.progress()
        quiet = quiet + 1 if at_the_tip and now == before else 0
        before = now
        time.sleep(POLL_SECONDS)


def _cause(error: BaseException) -> str:
    """The innermost message of what Java or Python threw."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return " ".join(str(error).split()) or type(error).__name__
    while java.getCause() is not None:
        java = java.getCause()
    return " ".join(str(java.toString()).split())


def _tell(event: str, **more: object) -> None:
    os.write(1, json.dumps({"event": event, **more}).encode() + b"\n")
