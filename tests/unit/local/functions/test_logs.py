"""The log of a function: lines with time and stream, in order, of bounded size; and what a pipe passes on."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sightline_local.cloud.logs.log_events import LogEvent, events_after, moment_of, read_events
from sightline_local.functions.logs import FunctionLog, log_files
from sightline_local.functions.output import Output

LogAt = Callable[..., FunctionLog]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) (.*)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "f.log"


@pytest.fixture
def log_at() -> Iterator[Callable[..., FunctionLog]]:
    with ExitStack() as closing:

        def make(path: Path, **given: int) -> FunctionLog:
            log = FunctionLog(path, **given)
            closing.callback(log.close)
            return log

        yield make


def said(path: Path) -> list[str]:
    found = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    return [f"{line[1]} {line[2]}" for line in found if line]


def test_every_line_has_its_time_and_its_stream(log_at: LogAt, path: Path) -> None:
    log = log_at(path)

    log.write("s1", b"one\ntwo\n")
    log.write("s2", b"three\n")

    assert said(path) == ["s1 one", "s1 two", "s2 three"]


def test_times_never_go_back_even_if_the_clock_does(
    log_at: LogAt, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_at(path)
    for now in (1_000.5, 999.0, 1_001.25):
        monkeypatch.setattr("time.time", lambda now=now: now)
        log.write("s", b"x\n")

    times = [event.timestamp for event in read_events(path)]
    assert times == [1_000_500, 1_000_500, 1_001_250]


def test_a_full_log_goes_on_in_a_new_file_and_keeps_the_one_before(log_at: LogAt, path: Path) -> None:
    log = log_at(path, full_bytes=100)

    for n in range(10):
        log.write("s", b"%d %s\n" % (n, b"x" * 40))

    assert [file.name for file in log_files(path)] == ["f.log.1", "f.log"]
    assert all(file.stat().st_size <= 100 for file in log_files(path))
    assert [event.message[0] for event in read_events(path)] == ["8", "9"]


def test_a_log_that_was_there_is_continued(log_at: LogAt, path: Path) -> None:
    for text in (b"first start\n", b"second start\n"):
        log = log_at(path)
        log.write("s", text)
        log.close()

    assert said(path) == ["s first start", "s second start"]


def test_a_closed_log_takes_nothing_and_does_not_fail(log_at: LogAt, path: Path) -> None:
    log = log_at(path)
    log.close()

    log.write("s", b"late\n")

    assert said(path) == []


@pytest.fixture
def events(log_at: LogAt, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LogEvent]:
    """5,000 events, ten a second."""
    log = log_at(path)
    for n in range(5000):
        monkeypatch.setattr("time.time", lambda n=n: 1_000_000 + n / 10)
        log.write("s", b"event %d\n" % n)
    return list(read_events(path))


def test_events_are_found_from_any_moment(path: Path, events: list[LogEvent]) -> None:
    for n in (0, 1, 17, 2500, 4998, 4999):
        assert next(read_events(path, events[n].timestamp)) == events[n]
        assert next(read_events(path, events[n].timestamp - 1)) == events[n]
    assert list(read_events(path, events[-1].timestamp + 1)) == []
    assert next(read_events(path, 1)) == events[0]


def test_events_go_on_behind_one_of_them(events: list[LogEvent]) -> None:
    assert list(events_after(events, events[4990].event_id)) == events[4991:]
    gone = f"{events[4990].timestamp + 1:014d}" + "9" * 42
    assert list(events_after(events, gone)) == events[4991:]


def test_what_is_no_line_of_a_log_is_left_out(log_at: LogAt, path: Path) -> None:
    log = log_at(path)
    log.write("s", b"good\n")
    with path.open("ab") as file:
        file.write(b"2026-11-22T20:31:05.417Z 2026/11\nhalf a line\n")

    assert [event.message for event in read_events(path)] == ["good"]


@pytest.mark.parametrize("token", ["", "mine", "1" * 55, "x" * 56])
def test_an_id_of_no_event_is_refused(token: str) -> None:
    with pytest.raises(ValueError):
        moment_of(token)


class Spoken:
    """An output, and the end of its pipe that a sandbox would have."""

    def __init__(self, log: FunctionLog) -> None:
        self.path = log.path
        self.output = Output(log, "s")
        with self.output.handing_over() as end:
            self._end = os.dup(end)

    def say(self, text: bytes) -> None:
        os.write(self._end, text)

    def close(self) -> None:
        os.close(self._end)
        self.output.close()


@pytest.fixture
def spoken(log_at: LogAt, path: Path) -> Iterator[Spoken]:
    spoken = Spoken(log_at(path))
    yield spoken
    spoken.close()


def test_lines_are_passed_on_whole(spoken: Spoken) -> None:
    spoken.say(b"one\ntw")
    spoken.output.drain()
    assert said(spoken.path) == ["s one"]

    spoken.say(b"o\n")
    spoken.output.drain()
    assert said(spoken.path) == ["s one", "s two"]


def test_lambdas_lines_stand_between_what_came_before_and_after(spoken: Spoken) -> None:
    spoken.say(b"of the last one")
    spoken.output.say("START\n")
    spoken.say(b"hello\n")

    tail = spoken.output.end("END\n")

    assert said(spoken.path) == ["s of the last one", "s START", "s hello", "s END"]
    assert tail == b"of the last one\nSTART\nhello\nEND\n"


def test_a_start_is_written_even_when_nothing_else_is_said(spoken: Spoken) -> None:
    spoken.output.say("START\n")
    assert said(spoken.path) == []

    spoken.output.drain()

    assert said(spoken.path) == ["s START"]


def test_an_endless_line_becomes_several_events(spoken: Spoken) -> None:
    for _ in range(10):
        spoken.say(b"x" * 60_000)
        spoken.output.drain()

    lengths = [len(line) for line in said(spoken.path)]
    assert sum(lengths) > 500_000
    assert max(lengths) < 400_000


def test_the_tail_is_of_its_own_invocation_and_4_kb_at_most(spoken: Spoken) -> None:
    spoken.say(b"a" * 9000 + b"\n")
    assert spoken.output.end("END\n") == b"a" * 4091 + b"\nEND\n"

    spoken.say(b"b\n")
    assert spoken.output.end("END\n") == b"b\nEND\n"


def test_what_nobody_may_keep_is_in_the_tail_alone() -> None:
    output = Output(None, "s")
    with output.handing_over() as end:
        os.write(end, b"hello\n")

    assert output.end("END\n") == b"hello\nEND\n"
    output.close()
