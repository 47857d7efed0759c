"""The demo as a person likes to watch it; colours and movement only on a terminal."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sightline_cli.demo.report import Outcome, Step

MOST_ROWS = 5
# How a row of a consumer reads.
_TELL = {
    "warehouse": "{person_name} at {device_id} from {began_at}: {seconds} s, sightings {sightings}",
    "flink": "{window_start} {device_id}: people {people}, sightings {sightings}",
    "presence": "{person_name} is at {device_id} since {since}, seen last {last_seen_at}",
}


class StoryReport:
    """Lines that stay, above one line that moves."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, text: str) -> None:
        self._progress.update(self._task, description=escape(text), total=None)

    def done(self, step: Step) -> None:
        self._print(f"[green]✓[/] {escape(step.detail)} [dim]{escape(step.took)}[/]")

    def event(self, name: str, **fields: Any) -> None:
        if name == "device":
            reason = f": {fields['state_reason']}" if fields.get("state_reason") else ""
            self._print(f"  device {escape(fields['device_id'])} is {escape(fields['state'] + reason)}")
        elif name == "alert":
            self._alert(fields)
        elif name == "evidence":
            self._print(f"  evidence: {escape(fields['frame'])}")
        elif name == "downstream":
            for row in fields["rows"][:MOST_ROWS]:
                self._print(f"  {escape(_TELL[fields['consumer']].format_map(row))}")

    def progress(self, video_seconds: float, total_seconds: float | None) -> None:
        self._progress.update(self._task, total=total_seconds, completed=video_seconds)

    def summary(self, outcome: Outcome) -> None:
        table = Table(title="Sightline, from face to alert", title_justify="left", show_edge=False)
        table.add_column("step")
        table.add_column("what happened", overflow="fold")
        table.add_column("took", justify="right")
        for step in outcome.steps:
            table.add_row(escape(step.name), escape(step.detail), escape(step.took))
        self._progress.stop()
        self._console.print()
        self._console.print(table)
        self._console.print()
        if outcome.ok:
            self._console.print(f"[bold green]ok[/]: {self._seen(outcome)} in {outcome.seconds:.1f} s")

    def _seen(self, outcome: Outcome) -> str:
        alerts = "1 alert" if outcome.alerts == 1 else f"{outcome.alerts} alerts"
        return f"{alerts} about {escape(', '.join(outcome.people))}"

    def _alert(self, fields: dict[str, Any]) -> None:
        alert = fields["alert"]
        who = f"{alert['person']['name']}, similarity {alert['similarity']:.1f}"
        when = f"{fields['video_seconds']:.1f} s into the video"
        when += f", alert {fields['frame_to_alert_ms']} ms after the frame"
        self._print(f"[bold red]![/] [bold]{escape(who)}[/] at {escape(alert['device']['name'])}: {when}")

    def _print(self, line: str) -> None:
        self._progress.console.print(line, soft_wrap=True)
