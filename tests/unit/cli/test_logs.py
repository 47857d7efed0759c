"""`sightline logs`: every event once, in the order of time, whichever function said it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from sightline_cli import logs
from sightline_cli.errors import CliError, MisuseError
from sightline_cli.logs import FunctionLogs, LogLine, moment_of, text_of

NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)
KNOWN = {"PlanDevice": "sightline-PlanDevice-ABC", "Write": "other"}


@dataclass
class FakeLogs:
    """filter_log_events of two events a page; group → (timestamp, message)."""

    groups: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    code: str = "ResourceNotFoundException"

    def get_paginator(self, operation: str) -> Any:
        assert operation == "filter_log_events"
        return self

    def paginate(self, *, logGroupName: str, startTime: int) -> Iterator[dict[str, Any]]:  # noqa: N803
        if logGroupName not in self.groups:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "FilterLogEvents")
        events = [
            {"timestamp": at, "message": text + "\n", "logStreamName": "s", "eventId": f"{at}-{text}"}
            for at, text in self.groups[logGroupName]
            if at >= startTime
        ]
        for n in range(0, len(events), 2):
            yield {"events": events[n : n + 2]}


def messages(lines: Any) -> list[str]:
    return [line.message for line in lines]


def a_reader(groups: dict[str, list[tuple[int, str]]]) -> FunctionLogs:
    return FunctionLogs(FakeLogs(groups), {name: name for name in ("a", "b")})


def test_lines_of_several_functions_come_in_the_order_of_time() -> None:
    reader = a_reader({"a": [(1, "one"), (4, "four"), (5, "five")], "b": [(2, "two"), (3, "three")]})

    assert messages(reader.lines(0)) == ["one", "two", "three", "four", "five"]
    assert messages(reader.lines(3)) == ["three", "four", "five"]


def test_a_function_that_never_spoke_has_no_lines() -> None:
    assert messages(a_reader({"a": [(1, "one")]}).lines(0)) == ["one"]


def test_any_other_refusal_is_an_error() -> None:
    reader = FunctionLogs(FakeLogs(code="AccessDeniedException"), {"a": "a"})

    with pytest.raises(ClientError):
        list(reader.lines(0))


def test_following_gives_every_line_once_also_those_that_come_late() -> None:
    groups = {"a": [(20_000, "first")], "b": []}
    reader = a_reader(groups)
    assert messages(reader.news(0)) == ["first"]
    assert messages(reader.news(0)) == []

    groups["a"] += [(20_000, "same moment")]
    groups["b"] += [(15_000, "late")]

    assert messages(reader.news(0)) == ["late", "same moment"]
    assert messages(reader.news(0)) == []


def test_following_does_not_go_back_before_its_beginning() -> None:
    reader = a_reader({"a": [(5, "old"), (10, "new")], "b": []})

    assert messages(reader.news(10)) == ["new"]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-11-22T08:00:00Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22T08:00:00+02:00", datetime(2026, 11, 22, 6, tzinfo=UTC)),
    ],
)
def test_since_is_a_span_or_a_time(since: str, expected: datetime) -> None:
    assert moment_of(since, NOW) == expected


@pytest.mark.parametrize("since", ["yesterday", "10", "m", "-3m", "2026-13-01"])
def test_any_other_since_is_refused(since: str) -> None:
    with pytest.raises(MisuseError, match=r"use 90s, 10m, 2h, 1d or a time"):
        moment_of(since, NOW)


@pytest.mark.parametrize("name", ["PlanDevice", "plan_device", "plan-device", "sightline-PlanDevice-ABC"])
def test_a_function_is_called_by_any_of_its_names(name: str) -> None:
    assert logs._chosen(KNOWN, [name]) == {"PlanDevice": "/aws/lambda/sightline-PlanDevice-ABC"}


def test_without_a_name_it_is_all_functions() -> None:
    assert set(logs._chosen(KNOWN, [])) == set(KNOWN)


def test_an_unknown_function_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CliError, match=r"no function Nobody in this stack: there are PlanDevice, Write"):
        logs._chosen(KNOWN, ["Nobody"])


def coloured(line: LogLine) -> str:
    console = Console(soft_wrap=True, highlight=False, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(text_of(line))
    return str(capture.get())


def a_line(message: str) -> LogLine:
    return LogLine("PlanDevice", int(NOW.timestamp() * 1000) + 7, "s", message, "1")


def test_a_line_has_its_time_and_its_function() -> None:
    local = NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S")

    assert text_of(a_line("hello [bold]x[/bold]")).plain == f"{local}.007  PlanDevice  hello [bold]x[/bold]"


def test_a_traceback_is_shown_in_its_lines_and_nothing_moves_the_cursor() -> None:
    shown = text_of(a_line("[ERROR] ValueError: no\rTraceback\r  File\x1b[2J")).plain

    assert shown.splitlines()[1:] == ["    Traceback", "      File?[2J"]


def test_a_cold_start_and_a_failure_stand_out() -> None:
    report = "REPORT RequestId: 1\tDuration: 1 ms"

    assert "\x1b[33m" in coloured(a_line(f"{report}\tInit Duration: 23 ms"))
    assert "\x1b[31m" in coloured(a_line(f"{report}\tStatus: timeout"))
    assert "\x1b[33m" not in coloured(a_line(report))


def test_json_lines_are_whole_objects(capsys: pytest.CaptureFixture[str]) -> None:
    logs._show([a_line("hello")], Console(), as_json=True)

    assert json.loads(capsys.readouterr().out) == {
        "timestamp": "2026-11-22T20:30:00.007Z",
        "function": "PlanDevice",
        "stream": "s",
        "message": "hello",
    }
