"""The events in the log files of a function (functions/logs.py), in the order of time."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sightline_local.functions.logs import log_files

_LINE = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (.+)")
_TIME_BYTES = 24


@dataclass(frozen=True, slots=True)
class LogEvent:
    """Milliseconds since 1970; the id says where the event stands, also after the file was rotated."""

    event_id: str
    timestamp: int
    stream: str
    message: str


def read_events(path: Path, since: int | None = None) -> Iterator[LogEvent]:
    """Events of the log at `path`, from the millisecond `since` on."""
    for name in log_files(path):
        try:
            file = name.open("rb")
        except FileNotFoundError:  # rotated meanwhile
            continue
        with file:
            if since:
                file.seek(_first_at(file, _as_text(since)))
            yield from _events(file, since or 0)


def events_after(events: Iterable[LogEvent], event_id: str) -> Iterator[LogEvent]:
    """What comes behind an event, which itself may be gone."""
    moment, passed = moment_of(event_id), False
    for event in events:
        if passed or event.timestamp > moment:
            yield event
        passed = passed or event.event_id == event_id


def moment_of(event_id: str) -> int:
    """ValueError when it is not the id of an event."""
    if not re.fullmatch(r"\d{56}", event_id):
        raise ValueError(event_id)
    return int(event_id[:14])


def _events(file: BinaryIO, since: int) -> Iterator[LogEvent]:
    offset, inode = file.tell(), os.fstat(file.fileno()).st_ino
    for line in file:
        if found := _LINE.match(line):
            timestamp = _as_milliseconds(found[1])
            if timestamp >= since:
                event_id = f"{timestamp:014d}{inode:021d}{offset:021d}"
                yield LogEvent(event_id, timestamp, found[2].decode(), found[3].decode(errors="replace"))
        offset += len(line)


def _first_at(file: BinaryIO, time: bytes) -> int:
    """Where a line begins before which no line is as late as `time`; found by halving."""
    low, high = 0, file.seek(0, os.SEEK_END)
    while high - low > 4096:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        begin = file.tell()
        line = file.readline()
        while line and not _LINE.match(line):
            line = file.readline()
        if line and line[:_TIME_BYTES] < time:
            low = begin
        else:
            high = middle
    return low


def _as_text(milliseconds: int) -> bytes:
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z".encode()


def _as_milliseconds(time: bytes) -> int:
    """The time of a line: always the same layout, in UTC."""
    text = time.decode()
    return int(datetime.fromisoformat(text[:19] + "+00:00").timestamp()) * 1000 + int(text[20:23])
