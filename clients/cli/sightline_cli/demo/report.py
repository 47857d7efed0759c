"""What a demo says while it runs: one JSON object a line for programs, or a story for people."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the summary: what was done, how it went, how long it took."""

    name: str
    detail: str
    took: str


@dataclass(slots=True)
class Outcome:
    """What came of the demo; `steps` in their order."""

    steps: list[Step] = field(default_factory=list)
    alerts: int = 0
    people: list[str] = field(default_factory=list)
    enrolled: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.alerts > 0


class Report(Protocol):
    """The events of `--json`, and the stages between them."""

    def stage(self, text: str) -> None: ...

    def event(self, name: str, **fields: Any) -> None: ...

    def progress(self, video_seconds: float, total_seconds: float | None) -> None: ...

    def done(self, step: Step) -> None: ...

    def summary(self, outcome: Outcome) -> None: ...


@dataclass
class JsonReport:
    """For programs: exactly the documented events."""

    out: TextIO = field(default_factory=lambda: sys.stdout)

    def stage(self, text: str) -> None:
        """Stages are for people."""

    def progress(self, video_seconds: float, total_seconds: float | None) -> None:
        """A bar is for people."""

    def done(self, step: Step) -> None:
        """Steps are for people."""

    def event(self, name: str, **fields: Any) -> None:
        self.out.write(json.dumps({"event": name, **fields}, ensure_ascii=False) + "\n")
        self.out.flush()

    def summary(self, outcome: Outcome) -> None:
        self.event(
            "summary",
            alerts=outcome.alerts,
            people=outcome.people,
            seconds=round(outcome.seconds, 3),
            ok=outcome.ok,
        )


@contextmanager
def reporting(*, as_json: bool) -> Iterator[Report]:
    """Give the report that fits, and leave the terminal as it was found."""
    if as_json:
        yield JsonReport()
        return
    from sightline_cli.demo.story import StoryReport  # noqa: PLC0415 - programs need no rich

    with StoryReport() as story:
        yield story
