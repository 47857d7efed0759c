"""Bring the application to run, or to stop; what it is doing already is waited for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from sightline.streaming.model import NotRunningError, Status

PAUSE_SECONDS: Final = 10.0
# The function has 900 s; a start takes two to four minutes.
PATIENCE_SECONDS: Final = 780.0
# Right after it was asked to start, an application may still say that it is ready.
GRACE_SECONDS: Final = 60.0
FINAL: Final = frozenset({Status.DELETING, Status.ROLLED_BACK})


class Application(Protocol):
    def status(self) -> Status | None:
        """What it is doing; None when there is no such application."""
        ...

    def start(self) -> None:
        """From its latest snapshot if it has one; harmless while it is doing something else."""
        ...

    def stop(self) -> None:
        """At once, without a snapshot; harmless while it is doing something else."""
        ...


@dataclass(frozen=True, slots=True)
class Operation:
    """`pause` waits for so many seconds."""

    application: Application
    pause: Callable[[float], None]

    def run(self) -> None:
        """Return when it is running; NotRunningError says why it is not."""
        waited, asked_at = 0.0, None
        while (status := self.application.status()) is not Status.RUNNING:
            if status is None or status in FINAL:
                raise NotRunningError(f"The application cannot be started: {status or 'there is none'}.")
            if status is Status.READY:
                if asked_at is not None and waited - asked_at >= GRACE_SECONDS:
                    raise NotRunningError("The application did not start; its log group says why.")
                self.application.start()
                asked_at = waited if asked_at is None else asked_at
            waited = self._wait(waited, status)

    def stop(self) -> None:
        """Return when it is not running any more, or gone."""
        waited = 0.0
        while (status := self.application.status()) not in {Status.READY, None}:
            if status not in {Status.DELETING, Status.STOPPING, Status.FORCE_STOPPING}:
                self.application.stop()
            waited = self._wait(waited, status)

    def _wait(self, waited: float, status: Status | None) -> float:
        if waited >= PATIENCE_SECONDS:
            raise NotRunningError(f"The application is still {status} after {waited:.0f} seconds.")
        self.pause(PAUSE_SECONDS)
        return waited + PAUSE_SECONDS
