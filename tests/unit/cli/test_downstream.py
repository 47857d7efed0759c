"""What `demo --all` makes of the consumers' findings."""

import io
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from sightline_cli.demo.downstream import Downstream
from sightline_cli.demo.report import JsonReport, Step
from sightline_cli.demo.story import StoryReport
from sightline_cli.downstream.scene import Finding, Scene, Sent
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_local.clock import Clock


def a_scene(interrupt: Interrupt | None = None, clock: Clock | None = None) -> Scene:
    nothing: Any = SimpleNamespace()
    return Scene(nothing, nothing, clock or Clock(), interrupt or Interrupt(), Path())


def ask(finding: Finding, *, left_out: str | None = None) -> tuple[list[Step], str]:
    out, steps = io.StringIO(), list[Step]()
    downstream = Downstream(a_scene(), JsonReport(out), steps.append)
    downstream._ask("lake", Sent(records=3, sightings=2), lambda _scene, _sent: finding, left_out)
    return steps, out.getvalue()


def test_a_consumer_that_agrees_is_a_step_and_an_event() -> None:
    steps, told = ask(Finding(2, "2 sightings in 1 Parquet file", [{"a": 1}]))

    assert [step.detail for step in steps] == ["the lake: 2 sightings in 1 Parquet file"]
    assert told == (
        '{"event": "downstream", "consumer": "lake", "sightings": 2, "left_out": null, "rows": [{"a": 1}]}\n'
    )


@pytest.mark.parametrize("found", [1, 3])
def test_a_consumer_that_disagrees_ends_the_demo_in_one_line(found: int) -> None:
    with pytest.raises(CliError, match=f"^the lake has {found} sightings, the sightings stream 2$"):
        ask(Finding(found, "", []))


def test_when_nobody_was_seen_nobody_is_asked() -> None:
    class NoKinesis:
        def list_shards(self, **_: Any) -> dict[str, list[Any]]:
            return {"Shards": []}

    stack: Any = SimpleNamespace(client=lambda _name: NoKinesis(), output=lambda name: name)
    out, steps = io.StringIO(), list[Step]()

    Downstream(replace(a_scene(), stack=stack), JsonReport(out), steps.append).show()

    assert [step.detail for step in steps] == ["nobody was seen: there is nothing to ask about"]
    assert out.getvalue() == ""


def test_what_cannot_run_is_left_out_and_says_why() -> None:
    steps, told = ask(Finding(0, "", []), left_out="Flink is left out: no Java")

    assert [step.detail for step in steps] == ["Flink is left out: no Java"]
    assert '"sightings": null, "left_out": "Flink is left out: no Java"' in told


def test_the_time_of_the_buffers_passes_until_all_has_come() -> None:
    clock = Clock()
    begin = clock.now()
    counts = iter([0, 4, 5])

    a_scene(clock=clock).await_flushed("the lake", lambda: next(counts), 5)

    assert (clock.now() - begin).total_seconds() >= 180


def test_a_wish_to_stop_is_not_kept_waiting_by_what_runs_in_the_background() -> None:
    interrupt, ended = Interrupt(), threading.Event()
    threading.Timer(0.1, lambda: setattr(interrupt, "requested", True)).start()
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        a_scene(interrupt).in_background(lambda: ended.wait(30), ended.set)

    assert time.monotonic() - began < 5


def test_a_failure_in_the_background_is_told() -> None:
    def fail() -> None:
        raise CliError("the Flink job failed")

    with pytest.raises(CliError, match="the Flink job failed"):
        a_scene().in_background(fail, lambda: None)


def test_a_story_shows_what_each_consumer_has() -> None:
    out = io.StringIO()
    window = {"window_start": "13:00", "device_id": "gate [1]", "people": 2, "sightings": 7}
    place = {"person_name": "Ada", "device_id": "gate-1", "since": "13:00:01", "last_seen_at": "13:00:09"}

    with StoryReport(Console(file=out, width=100)) as report:
        report.event("downstream", consumer="lake", sightings=7, left_out=None, rows=[])
        report.event("downstream", consumer="flink", sightings=7, left_out=None, rows=[window] * 9)
        report.event("downstream", consumer="presence", sightings=7, left_out=None, rows=[place])

    told = out.getvalue()
    assert told.count("13:00 gate [1]: people 2, sightings 7") == 5
    assert "Ada is at gate-1 since 13:00:01, seen last 13:00:09" in told
