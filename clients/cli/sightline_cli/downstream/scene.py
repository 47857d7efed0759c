"""A local stack whose sightings were written, and what every consumer of them must come to."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.stack import Stack

if TYPE_CHECKING:
    from sightline_local.clock import Clock
    from sightline_local.runtime import Runtime

# One more than Firehose's buffers hold a record.
_BUFFERS = timedelta(seconds=61)
_LOOKS = 60
_A_DAY = 86_400.0
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Sent:
    """What is on the sightings stream: a sighting may be there in two records."""

    records: int
    sightings: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What one consumer has: how many sightings, how it shows them, in words and in rows."""

    sightings: int
    words: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scene:
    """`folder` is for logs, `clock` the runtime's own: it can be moved on."""

    runtime: "Runtime"
    stack: Stack
    clock: "Clock"
    interrupt: Interrupt
    folder: Path

    def records(self, output: str) -> list[bytes]:
        """All records of the data stream of that output."""
        reader = StreamReader(self.stack.client("kinesis"), self.stack.output(output))
        found: list[bytes] = []
        while more := reader.poll():
            self.interrupt.check()
            found += more
        return found

    def sent(self) -> Sent:
        """What all consumers must have."""
        records = self.records("SightingsStreamName")
        return Sent(len(records), len({json.loads(each)["sighting_id"] for each in records}))

    def await_flushed(self, who: str, count: Callable[[], int], wanted: int) -> int:
        """How many are there once it is so many or more; the minutes of Firehose's buffers pass quickly."""
        found = 0
        for _ in range(_LOOKS):
            self.clock.advance(_BUFFERS)
            self.interrupt.sleep(1)
            if (found := count()) >= wanted:
                return found
        raise CliError(f"{who} has only {found} of {wanted} sightings")

    def in_background(self, call: Callable[[], Answer], give_up: Callable[[], None]) -> Answer:
        """What the call gives; a wish to stop makes it end early by `give_up`."""
        with ThreadPoolExecutor(1, thread_name_prefix="downstream") as executor:
            answer = executor.submit(call)
            try:
                self.interrupt.wait_for(answer.done, _A_DAY)
            except KeyboardInterrupt:
                give_up()
                raise
            return answer.result()
