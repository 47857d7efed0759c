"""`sightline replay`: the file, the device, and what is said about them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sightline_cli.device import settled_device, stream_of
from sightline_cli.errors import FAILED
from sightline_cli.interrupts import interruptible
from sightline_cli.replay import Replay, face_stream_writer
from sightline_cli.stack import Stack
from sightline_cli.tokens import api_of


def run_replay(stack: Stack, *, device_id: str, records: str, speed: float, as_json: bool) -> int:
    """Replay a file; 1 when a line of it was malformed."""
    with _opened(records) as lines:
        with interruptible() as interrupt:
            device = settled_device(api_of(stack), device_id, interrupt)
        put = face_stream_writer(stack.client("kinesis"), stream_of(device, "face"), device_id)
        result = Replay(put, _complain, speed).run(lines)
    if as_json:
        summary = {"sent": result.sent, "malformed": result.malformed, "seconds": round(result.seconds, 3)}
        print(json.dumps({"event": "summary", **summary}))
    else:
        print(f"{result.sent} face records sent to device {device_id} in {result.seconds:.1f} s")
    if result.malformed:
        lines_were = "1 line was" if result.malformed == 1 else f"{result.malformed} lines were"
        print(f"sightline: {lines_were} no face record and left out", file=sys.stderr)
    return FAILED if result.malformed else 0


def _complain(number: int, reason: str) -> None:
    print(f"sightline: line {number}: {reason}", file=sys.stderr)


@contextmanager
def _opened(records: str) -> Iterator[BinaryIO]:
    if records == "-":
        yield sys.stdin.buffer
        return
    with Path(records).open("rb") as lines:
        yield lines
