"""A measurement, and how a list of them is written down."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Column, Table


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number. `goal` is what we aim at; `better` says on which side of it the good numbers are."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"

    @property
    def meets_goal(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal


def write(measurements: Iterable[Measurement], path: Path) -> None:
    """{name: {value, unit, goal}}, so that runs can be compared by a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {m.name: {"value": round(m.value, 3), "unit": m.unit, "goal": m.goal} for m in measurements}
    path.write_text(json.dumps(content, indent=2) + "\n")


def show(measurements: Iterable[Measurement]) -> None:
    table = Table(Column("what", no_wrap=True), "measured", "unit", "goal", "")
    for measured in measurements:
        sign = "≤" if measured.better == "lower" else "≥"
        goal = "" if measured.goal is None else f"{sign} {measured.goal:g}"
        mark = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[measured.meets_goal]
        table.add_row(measured.name, f"{measured.value:,.1f}", measured.unit, goal, mark)
    Console().print(table)
