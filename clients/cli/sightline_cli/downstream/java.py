"""Programs that run Java beside ours: whether they can be, and one of them from its start to its end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

_GUARD = Path(__file__).parent / "guard.py"
OLDEST_JAVA = 17


def missing_java() -> str | None:
    """What is wrong with the java on the PATH, None when it is new enough."""
    java = shutil.which("java")
    if java is None:
        return "no Java"
    try:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return "its Java does not run"
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        return f"its Java is older than {OLDEST_JAVA}"
    return None


class JavaProcess:
    """A command with its own group of processes, which is gone when this is stopped, collected or killed.

    `on_line` is called with each line of its stdout, from a thread; stdout and stderr go to the file `log`.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        on_line: Callable[[str], None],
        folder: Path | None = None,
    ) -> None:
        self._command, self._folder, self._log, self._on_line = command, folder, log, on_line
        self._environment = dict(environment)
        self._process: subprocess.Popen[str] | None = None
        self._ended = threading.Event()
        self._watching: list[threading.Thread] = []

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_GUARD), *self._command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        self._watching = [threading.Thread(target=each, daemon=True) for each in (self._read, self._reap)]
        for thread in self._watching:
            thread.start()
        return self

    @property
    def pid(self) -> int:
        """The leader of its process group."""
        assert self._process is not None, "it has not been started"
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, None as long as it runs; 128 + n when the signal n ended it."""
        if self._process is None or not self._ended.is_set():
            return None
        code = self._process.returncode
        return code if code >= 0 else 128 - code

    def terminate(self) -> None:
        """Ask the command to end (SIGTERM)."""
        if self._process is not None and not self._ended.is_set():
            with suppress(ProcessLookupError):
                self._process.terminate()

    def wait(self, timeout: float) -> bool:
        """Whether it has ended within so many seconds, with every line handed over."""
        if not self._ended.wait(timeout):
            return False
        self._watching[0].join(5)
        return True

    def kill(self) -> None:
        """End it and all that it started, now."""
        if self._process is None:
            return
        if not self._ended.is_set():
            _kill_group(self._process.pid)
        self.wait(10)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._log.open("a", encoding="utf-8") as log, self._process.stdout as lines:
            for line in lines:
                log.write(line)
                log.flush()
                self._on_line(line.rstrip("\n"))

    def _reap(self) -> None:
        """At once what the command has left behind ends too: later its group's number may be another's."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.wait()
        _kill_group(self._process.pid)
        self._process.stdin.close()
        self._ended.set()


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(leader, signal.SIGKILL)
