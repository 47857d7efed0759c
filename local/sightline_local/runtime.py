"""The local runtime: a SAM template, deployed and running on this machine.

    with Runtime(RuntimeOptions(template=Path("template.yaml"))) as runtime:
        print(runtime.api_url, runtime.aws_url, runtime.outputs)

One runtime per process at a time. Nothing outlives it: no process, no port, no file.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from sightline_local.errors import LocalRuntimeError

ACCOUNT = "123456789012"

_only_one = threading.Lock()  # moto's state belongs to the process
_silent: Callable[[str], None] = lambda _line: None  # noqa: E731  a default argument


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What to run and where; port 0 takes any free one."""

    template: Path
    stack_name: str = "sightline"
    region: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    api_port: int = 8080
    aws_port: int = 4566
    face_workers: int | None = None  # None: one per core
    warm_faces: bool = False  # load the face engine at the start instead of with the first picture
    log_dir: Path | None = None  # None: a temporary folder that goes with the runtime


class Runtime:
    """Context manager; `start` returns when everything answers, `stop` ends all of it."""

    def __init__(self, options: RuntimeOptions) -> None:
        self.options = options
        self.api_url = ""
        self.aws_url = ""
        self.outputs: dict[str, str] = {}
        self.log_dir: Path | None = options.log_dir
        self._closing = ExitStack()
        self._stopping = threading.Lock()

    def start(self, progress: Callable[[str], None] = _silent) -> None:
        """Check the template, start the services, deploy; LocalRuntimeError if that cannot be."""
        # Imported here: a program that only asks for help does not wait a second for moto.
        from sightline_local.assembly import assemble  # noqa: PLC0415

        if not _only_one.acquire(blocking=False):
            raise LocalRuntimeError("a local runtime runs in this process already")
        try:
            self._closing.callback(_only_one.release)
            running = assemble(self.options, ACCOUNT, self._closing, progress)
        except BaseException:  # Ctrl-C too: what was started must end
            self.stop()
            raise
        self.api_url, self.aws_url = running.api_url, running.aws_url
        self.outputs, self.log_dir = running.outputs, running.log_dir

    def stop(self) -> None:
        """End every child, thread and server and remove what is temporary; a second call does nothing."""
        with self._stopping:
            self._closing.pop_all().close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
