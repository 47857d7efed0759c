"""The local runtime: a SAM template, deployed and running on this machine.

    with Runtime(RuntimeOptions(template=Path("template.yaml"))) as runtime:
        print(runtime.api_url, runtime.aws_url, runtime.outputs)

One runtime per process at a time. Nothing outlives it: no process, no port, no file.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sightline_local.errors import LocalRuntimeError
from sightline_local.options import RuntimeOptions

if TYPE_CHECKING:
    from sightline_local.iam import Credentials, Sessions
    from sightline_local.iam.report import IamReport

__all__ = ["ACCOUNT", "Runtime", "RuntimeOptions"]

ACCOUNT = "123456789012"

_only_one = threading.Lock()  # moto's state belongs to the process
_LENT_FOR = timedelta(
    days=30
)  # ECS and Flink renew theirs; a process here has these from its start to its end

_silent: Callable[[str], None] = lambda _line: None  # noqa: E731  a default argument


class Runtime:
    """Context manager; `start` returns when everything answers, `stop` ends all of it."""

    def __init__(self, options: RuntimeOptions) -> None:
        self.options = options
        self.api_url = ""
        self.aws_url = ""
        self.outputs: dict[str, str] = {}
        self.log_dir: Path | None = options.log_dir
        self.kept_aside: tuple[str, ...] = ()  # what the data directory holds of resources that are gone
        self._iam_report: Callable[[], IamReport] | None = None
        self._sessions: Sessions | None = None
        self._closing = ExitStack()
        self._stopping = threading.Lock()

    def start(self, progress: Callable[[str], None] = _silent) -> None:
        """Check the template, start the services, deploy; LocalRuntimeError if that cannot be."""
        if not _only_one.acquire(blocking=False):
            raise LocalRuntimeError("a local runtime runs in this process already")
        try:
            self._closing.callback(_only_one.release)
            self._closing.enter_context(_without_profile())
            self._closing.callback(gc.unfreeze)
            with _without_collections():
                # Imported here: a program that only asks for help does not wait a second for moto.
                from sightline_local.assembly import assemble  # noqa: PLC0415

                running = assemble(self.options, ACCOUNT, self._closing, progress)
        except BaseException:  # Ctrl-C too: what was started must end
            self.stop()
            raise
        self.api_url, self.aws_url = running.api_url, running.aws_url
        self.outputs, self.log_dir = running.outputs, running.log_dir
        self._iam_report = running.iam_report
        self.kept_aside = running.kept_aside
        self._sessions = running.sessions

    def iam_report(self) -> "IamReport":
        """What the policies allowed and nobody needed so far, and what was denied; of a started runtime."""
        assert self._iam_report is not None, "it has not been started"
        return self._iam_report()

    def lend(self, role_arn: str, service_principal: str) -> "Credentials":
        """Keys of a role, as a service gives them to the process that it runs (ECS to a task: "ecs-tasks.…").

        TrustDenied when the role's trust policy does not let the service have it; of a started runtime.
        """
        assert self._sessions is not None, "it has not been started"
        name = service_principal.partition(".")[0]
        return self._sessions.assume(role_arn, name, service_principal=service_principal, duration=_LENT_FOR)

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


@contextmanager
def _without_profile() -> Iterator[None]:
    """Without the person's own profile: boto3 and moto would fail for one that is not configured here."""
    names = [name for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def _without_collections() -> Iterator[None]:
    """A fifth of a start went by with looking for garbage among things that stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
