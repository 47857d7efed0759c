"""The program as a child process, and a look at what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIGHTLINE = [sys.executable, "-m", "sightline_cli.main"]


@dataclass
class Finished:
    """A run of the program."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


@dataclass
class Program:
    """The program with its own process group and its own folder for temporary files."""

    folder: Path
    temporary: Path
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        child = subprocess.Popen(
            [*SIGHTLINE, *arguments],
            cwd=self.folder,
            env=environment | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(child)
        return child

    def run(self, *arguments: str, seconds: float = 120) -> Finished:
        began = time.monotonic()
        child = self.start(*arguments)
        out, err = child.communicate(timeout=seconds)
        return Finished(child.returncode, out, err, time.monotonic() - began)

    def interrupt(self, child: "subprocess.Popen[str]", seconds: float = 30) -> Finished:
        """Do what Ctrl-C in a terminal does: signal the whole process group."""
        began = time.monotonic()
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=seconds)
        return Finished(child.returncode, out, err, time.monotonic() - began)

    def left_behind(self) -> list[str]:
        """Name the processes and temporary files that the finished programs left."""
        deadline = time.monotonic() + 3
        while (processes := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return [*processes, *(str(path) for path in self.temporary.iterdir())]

    def _processes(self) -> list[str]:
        """Whoever has our folder for temporary files in the environment is a descendant of ours."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes()
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended meanwhile, or is not ours
            if str(self.temporary).encode() in environment:
                found.append(f"{process.name} {command}")
        return found

    def end(self) -> None:
        for child in self.started:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()


@dataclass(frozen=True, slots=True)
class Up:
    """A running `sightline up`."""

    child: "subprocess.Popen[str]"
    api_url: str
    aws_url: str
    outputs: dict[str, str]

    @property
    def aws_port(self) -> str:
        return self.aws_url.rsplit(":", 1)[1]
