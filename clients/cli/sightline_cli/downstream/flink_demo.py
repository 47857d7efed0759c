"""`sightline flink-demo`: the streaming SQL on a local stack, with its results as they come."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob
from sightline_cli.downstream.flink_story import FRAME_SECONDS, MINUTES, story
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt, interruptible
from sightline_cli.local_stack import find_template, local_stack
from sightline_cli.stack import Stack, Target
from sightline_cli.temporary import temporary_folder

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime

PARAMETERS = {"StreamingSql": "true", "Lake": "false", "Warehouse": "none"}
START_SECONDS, END_SECONDS = 300.0, 120.0
TIMES_FASTER = 30
OUTPUTS = ("StreamingResultsStreamName", "CrowdingStreamName")
Row = dict[str, Any]

WORDS: dict[str, Callable[[Row], str]] = {
    "people_per_minute": lambda row: (
        f"{_minute(row)} {row['device_id']}: {_people(row['people'])}"
        f" ({row['known_people']} known, {row['unknown_faces']} unknown), {row['sightings']} sightings"
    ),
    "busiest_devices": lambda row: (
        f"{_minute(row)} number {row['rank']}: {row['device_id']}, {_people(row['people'])}"
    ),
    "journeys": lambda row: (
        f"{row['person_id']} went from {row['from_device']} to {row['to_device']} in {row['seconds']} s"
    ),
    "late_sightings": lambda row: f"{row['device_id']} at {row['seen_at'][11:19]}: too late for its minute",
    "malformed_records": lambda row: f"{row['reason']}: {row['payload'][:60]}",
    "crowding": lambda row: f"{_minute(row)} {row['device_id']}: {_people(row['people'])} at once",
}


def run_flink_demo(*, template: Path | None, as_json: bool) -> None:
    """Deploy, run the job, send the story, print each row; CliError when a sighting is not accounted for."""
    from sightline_local.runtime import RuntimeOptions  # noqa: PLC0415  moto takes a second to import

    if reason := flink.missing():
        raise CliError(reason)
    with interruptible() as interrupt, temporary_folder(interrupt) as folder:
        shown = _Shown(Console(highlight=False, stderr=as_json, soft_wrap=True), as_json)
        found = find_template(template, Path.cwd())
        options = RuntimeOptions(template=found, api_port=0, aws_port=0, parameters=PARAMETERS)
        shown.step("deploying the stack on this machine")
        with local_stack(options, interrupt, lambda _step: None) as runtime:
            shown.step("starting the streaming SQL")
            place = _Place(runtime)
            with FlinkJob(flink.properties(runtime), flink.environment(runtime), folder) as job:
                _in_time(interrupt.wait_for(job.has_started, START_SECONDS), "start", job)
                sent = _tell_story(place, shown, interrupt)
                shown.step("that was all: the open windows tell what they have")
                job.process.terminate()
                _in_time(interrupt.wait_for(job.has_ended, END_SECONDS), "end", job)
            shown.rows(place.new_rows())
        _check(sent, shown)


class _Place:
    """The streams of the stack."""

    def __init__(self, runtime: "Runtime") -> None:
        options = runtime.options
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        self._kinesis, self._sightings = stack.client("kinesis"), stack.output("SightingsStreamName")
        self._readers = [StreamReader(self._kinesis, stack.output(name)) for name in OUTPUTS]

    def send(self, records: list[bytes]) -> None:
        if records:
            entries = [{"Data": each, "PartitionKey": "demo"} for each in records]
            self._kinesis.put_records(StreamName=self._sightings, Records=entries)

    def new_rows(self) -> list[Row]:
        """What the job has written since the last look."""
        found = []
        for reader in self._readers:
            while more := reader.poll():
                found += [json.loads(each) for each in more]
        return found


@dataclass
class _Shown:
    """What the person or the program has been told."""

    console: Console
    as_json: bool
    counted: Counter[str] = field(default_factory=Counter)

    def step(self, text: str) -> None:
        self.console.print(f"[dim]{text}[/]")

    def rows(self, rows: list[Row]) -> None:
        for row in rows:
            self.counted[row["query"]] += (
                row.get("sightings", 1) if row["query"] == "people_per_minute" else 1
            )
            if self.as_json:
                print(json.dumps(row), flush=True)
            else:
                self.console.print(f"{row['query']:<18} {WORDS[row['query']](row)}", markup=False)


def _in_time(done: bool, what: str, job: FlinkJob) -> None:
    if not done:
        raise CliError(f"the streaming SQL did not {what} in time; see {job.log}")


def _tell_story(place: _Place, shown: _Shown, interrupt: Interrupt) -> set[str]:
    """Send it, faster than it was; the ids of the sightings."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=MINUTES)
    shown.step(f"{MINUTES} minutes at four devices, {TIMES_FASTER} times as fast")
    sent: set[str] = set()
    for records in story(begin):
        place.send(records)
        sent |= {json.loads(each)["sighting_id"] for each in records if each.endswith(b"}")}
        shown.rows(place.new_rows())
        interrupt.sleep(FRAME_SECONDS / TIMES_FASTER)
    return sent


def _check(sent: set[str], shown: _Shown) -> None:
    on_time, late = shown.counted["people_per_minute"], shown.counted["late_sightings"]
    shown.step(f"{on_time} sightings in windows + {late} late = {len(sent)} sent, each counted once")
    if on_time + late != len(sent):
        raise CliError(f"{len(sent)} sightings were sent, but {on_time} are in windows and {late} were late")


def _minute(row: Row) -> str:
    return str(row["window_start"][11:16])


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
