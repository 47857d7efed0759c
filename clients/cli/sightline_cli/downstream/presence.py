"""The presence worker on this machine: the KCL's daemon and our record processor, as on ECS."""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sightline_cli.downstream.java import JavaProcess, missing_java
from sightline_cli.downstream.keys import lent_keys
from sightline_cli.errors import CliError

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime

CHECKOUT = Path(__file__).resolve().parents[4]
_INSTALL = "`make presence-install`"
# On AWS ten seconds, so that a worker that is slow for a moment keeps its shards, and a read a second: there
# a shard answers five in all.
_HERE = {"PRESENCE_FAILOVER_SECONDS": "5", "PRESENCE_IDLE_MILLISECONDS": "250"}


def missing(checkout: Path = CHECKOUT) -> str | None:
    """Say in one line why the worker cannot run here and what to do; None when it can."""
    if wrong := missing_java():
        return f"The presence worker is left out: {wrong}; install Java 17 (and Maven), then {_INSTALL}"
    if not python(checkout).exists() or not _jars(checkout):
        return f"The presence worker is left out: it is not installed; run {_INSTALL}"
    return None


def environment(runtime: "Runtime") -> dict[str, str]:
    """What ECS would tell and lend a worker of the stack, which has been deployed with Presence=true."""
    outputs, region = runtime.outputs, runtime.options.region
    return {
        "AWS_ENDPOINT_URL": runtime.aws_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **lent_keys(runtime, outputs["PresenceWorkerRoleArn"], "ecs-tasks.amazonaws.com"),
        "SIGHTINGS_STREAM": outputs["SightingsStreamName"],
        "PRESENCE_APPLICATION": outputs["PresenceApplicationName"],
        "PRESENCE_TABLE": outputs["PresenceTableName"],
        "PRESENCE_DAYS": str(runtime.options.parameters.get("PresenceDays", 30)),
        "PRESENCE_FAILURES_QUEUE_URL": outputs["PresenceFailuresQueueUrl"],
    }


def of_process(told: Mapping[str, str], scratch: Path, checkout: Path = CHECKOUT) -> dict[str, str]:
    """The whole environment of a worker that is told that; it may leave files in `scratch`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # The daemon leaves its properties where temporary files are.
    code = {"PYTHONPATH": str(checkout / "containers" / "presence_worker"), "TMPDIR": str(scratch)}
    return {**kept, **_HERE, **code, **told}


class PresenceWorker:
    """One worker: start, wait_running, handled, stop; as a context manager it is gone after the block.

    `told` is the environment of the worker (`environment` makes it); its log is `folder`/`name`.log.
    """

    def __init__(
        self,
        told: Mapping[str, str],
        folder: Path,
        name: str = "presence-worker",
        checkout: Path = CHECKOUT,
    ) -> None:
        self.log = folder / f"{name}.log"
        self._told, self._checkout = told, checkout
        self._scratch: Path | None = None
        self._process: JavaProcess | None = None
        self._changed = threading.Condition()
        self._reading: set[str] = set()
        self._handled = 0

    def start(self) -> Self:
        """Start it; CliError when it cannot be started at all."""
        if reason := missing(self._checkout):
            raise CliError(reason)
        self._scratch = Path(tempfile.mkdtemp(prefix="presence-worker-"))
        command = [str(python(self._checkout)), "-m", "presence_worker.daemon"]
        self._process = JavaProcess(
            command, of_process(self._told, self._scratch, self._checkout), self.log, self._heard
        )
        self._process.start()
        return self

    def wait_running(self, timeout: float = 180) -> None:
        """Until it reads a shard. The first worker of an application waits up to 30 s for another one."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._reading:
                self._check_alive()
                if time.monotonic() > deadline:
                    raise CliError(f"the presence worker reads nothing after {timeout:.0f} s; see {self.log}")
                self._changed.wait(0.5)

    @property
    def handled(self) -> int:
        """Records that it has kept or set aside, each time that they came. CliError when it ended."""
        with self._changed:
            self._check_alive()
            return self._handled

    @property
    def reading(self) -> frozenset[str]:
        """The shards that it reads now."""
        with self._changed:
            return frozenset(self._reading)

    @property
    def process(self) -> JavaProcess:
        assert self._process is not None, "it has not been started"
        return self._process

    def stop(self, timeout: float = 60) -> None:
        """Let it save what it has kept, then end it; CliError when that took longer and it was killed."""
        if self._process is None:
            return
        self._process.terminate()
        in_time = self._process.wait(timeout)
        self.kill()
        if not in_time:
            raise CliError(f"the presence worker did not end within {timeout:.0f} s; see {self.log}")

    def kill(self) -> None:
        """End it now: what it has kept and not saved comes again to the next worker."""
        if self._process is not None:
            self._process.kill()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        else:
            self.kill()

    def _heard(self, line: str) -> None:
        """The daemon copies what a record processor says into its own log."""
        begin, end = line.find('{"event": '), line.rfind("}")
        if begin < 0 or end < 0 or "DrainChildSTDERRTask" not in line:
            return
        try:
            self._note(json.loads(line[begin : end + 1]))
        except ValueError:  # two lines in one
            return

    def _note(self, said: Mapping[str, Any]) -> None:
        with self._changed:
            shard = str(said.get("shard"))
            if said["event"] == "reading":
                self._reading.add(shard)
            elif said["event"] == "kept":
                self._handled += said["records"]
            elif said["event"] in {"lease lost", "shard ended"}:
                self._reading.discard(shard)
            self._changed.notify_all()

    def _check_alive(self) -> None:
        status = self.process.status
        if status is not None:
            raise CliError(f"the presence worker has ended (exit status {status}); see {self.log}")


def python(checkout: Path = CHECKOUT) -> Path:
    """The Python that the worker is installed for."""
    return checkout / ".venv-presence" / "bin" / "python"


def _jars(checkout: Path) -> list[Path]:
    return list(
        (checkout / ".venv-presence").glob("lib/python*/site-packages/amazon_kclpy/jars/*kinesis-client*.jar")
    )
