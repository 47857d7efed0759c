"""Flink SQL on this machine: the job of `analytics/flink` on a small cluster in a process of its own."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sightline_cli.downstream.java import JavaProcess, missing_java
from sightline_cli.downstream.keys import lent_keys
from sightline_cli.errors import CliError

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime

CHECKOUT = Path(__file__).resolve().parents[4]
_INSTALL = "`make flink-install`"
_MEMORY_MB = 768

Properties = Mapping[str, Mapping[str, str]]


def missing(checkout: Path = CHECKOUT) -> str | None:
    """Say in one line why the job cannot run here and what to do; None when it can."""
    if wrong := missing_java():
        return f"Flink is left out: {wrong}; install Java 17 (and Maven), then {_INSTALL}"
    if not _installed(checkout).exists() or not _jar(checkout).exists():
        return f"Flink is left out: it is not installed; run {_INSTALL}"
    return None


def environment(runtime: "Runtime") -> dict[str, str]:
    """What the service would lend a job of the stack, which has been deployed with StreamingSql=true."""
    role = runtime.outputs["StreamingSqlRoleArn"]
    return {
        "AWS_REGION": runtime.options.region,
        **lent_keys(runtime, role, "kinesisanalytics.amazonaws.com"),
    }


def properties(runtime: "Runtime", job: Mapping[str, str] | None = None) -> Properties:
    """The groups of the job's properties for that stack; `job` are those of the group of this name."""
    here = {"aws.region": runtime.options.region, "aws.endpoint": runtime.aws_url}
    # The sink speaks HTTP/2 with TLS otherwise.
    sink = {**here, "sink.http-client.protocol.version": "HTTP1_1"}
    outputs = runtime.outputs
    return {
        "sightings": {
            **here,
            "stream": outputs["SightingsStreamName"],
            "scan.shard.getrecords.intervalmillis": "200",
        },
        "results": {**sink, "stream": outputs["StreamingResultsStreamName"]},
        "crowding": {**sink, "stream": outputs["CrowdingStreamName"]},
        "job": dict(job or {}),
    }


class FlinkJob:
    """The job: start, wait_running, records_read, drain; gone at the end of a `with` block.

    `told` is its environment, `groups` its properties; its logs are in `folder`. In the folder `kept` its
    checkpoints outlive it, and `restore` is the address of one to go on from. With `suspend` its windows stay
    open at the end, as when the service updates a job.
    """

    def __init__(
        self,
        groups: Properties,
        told: Mapping[str, str],
        folder: Path,
        *,
        kept: Path | None = None,
        restore: str | None = None,
        suspend: bool = False,
        memory_mb: int = _MEMORY_MB,
        checkout: Path = CHECKOUT,
    ) -> None:
        self.log = folder / "flink.log"
        self.savepoint: str | None = None
        self._groups, self._told, self._checkout = groups, told, checkout
        self._kept, self._memory_mb = kept, memory_mb
        self._more = (["--restore", restore] if restore else []) + (["--suspend"] if suspend else [])
        self._scratch: Path | None = None
        self._process: JavaProcess | None = None
        self._changed = threading.Condition()
        self._running = self._stopped = False
        self._records, self._failure = 0, ""

    def start(self) -> Self:
        """Start it; CliError when it cannot be started at all."""
        if reason := missing(self._checkout):
            raise CliError(reason)
        self._scratch = Path(tempfile.mkdtemp(prefix="sightline-flink-"))
        command = [str(_python(self._checkout)), str(self._checkout / "analytics" / "flink" / "main.py")]
        command += ["--properties", str(self._write_properties(self._scratch))]
        command += ["--jar", str(_jar(self._checkout))]
        command += ["--checkpoints", str(self._kept)] if self._kept else []
        command += self._more
        self._process = JavaProcess(command, self._environment(self._scratch), self.log, self._heard)
        self._process.start()
        return self

    def wait_running(self, timeout: float = 120) -> None:
        """Until every part of the job runs; CliError when it has failed or takes longer."""
        self._wait(lambda: self._running, timeout, "does not run")

    def wait_read(self, records: int, timeout: float) -> None:
        """Until it has read so many records of the sightings stream, malformed ones and duplicates too."""
        self._wait(lambda: self._records >= records, timeout, f"has not read {records} records")

    def has_started(self) -> bool:
        """Whether every part of the job runs; CliError when it has failed."""
        self._check_alive()
        return self._running

    def has_ended(self) -> bool:
        """Whether it has ended as it should; CliError when it has failed."""
        self._check_alive()
        return self._stopped

    @property
    def records_read(self) -> int:
        """Records of the sightings stream that it has read since it was started."""
        return self._records

    def drain(self, timeout: float = 120) -> None:
        """Let it read what the stream holds, tell what its open windows have, and end; or CliError."""
        self.process.terminate()
        self.wait_ended(timeout)
        self.process.wait(30)
        self.kill()

    def wait_ended(self, timeout: float) -> None:
        """Until it has ended as it should, by `drain` or because there is no more to read."""
        self._wait(lambda: self._stopped, timeout, "has not ended")

    def kill(self) -> None:
        """End it now; what it has read since its last checkpoint is read again by one that is restored."""
        if self._process is not None:
            self._process.kill()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def process(self) -> JavaProcess:
        assert self._process is not None, "it has not been started"
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _wait(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            self._check_alive()
            if self._stopped and not done():
                raise CliError(f"the Flink job has ended; see {self.log}")
            if time.monotonic() > deadline:
                raise CliError(f"the Flink job {what} after {timeout:.0f} s; see {self.log}")
            with self._changed:
                self._changed.wait(0.2)

    def _check_alive(self) -> None:
        status = self.process.status
        if status is not None:
            self.process.wait(5)  # for its last words
        if self._failure:
            raise CliError(f"the Flink job failed: {self._failure}; see {self.log}")
        if status is not None and not self._stopped:
            raise CliError(f"the Flink job has ended (status {status}); see {self.log}")

    def _heard(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return  # PyFlink's own words
        with self._changed:
            event = said.get("event")
            self._running |= event == "running"
            if event == "progress":
                self._records = said["records"]
            elif event == "stopped":
                self._stopped, self.savepoint = True, said["savepoint"]
            elif event == "failed":
                self._failure = said["message"]
            self._changed.notify_all()

    def _write_properties(self, folder: Path) -> Path:
        file = folder / "application_properties.json"
        groups = [{"PropertyGroupId": name, "PropertyMap": dict(each)} for name, each in self._groups.items()]
        file.write_text(json.dumps(groups))
        return file

    def _environment(self, scratch: Path) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FLINK_"))}
        return {
            **mine,
            # Private to PyFlink: else it starts a server for Python functions, which needs Beam.
            "_python_worker_execution_mode": "process",
            "JVM_ARGS": f"-Xmx{self._memory_mb}m -XX:+UseSerialGC -Djava.io.tmpdir={scratch}",
            "FLINK_LOG_DIR": str(self.log.parent),
            "TMPDIR": str(scratch),
            **self._told,
        }


def _installed(checkout: Path) -> Path:
    return checkout / ".venv-flink" / ".installed"


def _python(checkout: Path) -> Path:
    return checkout / ".venv-flink" / "bin" / "python"


def _jar(checkout: Path) -> Path:
    return checkout / "build" / "flink" / "lib" / "pyflink-dependencies.jar"
