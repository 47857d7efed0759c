"""`sightline logs`: what the functions print, of one or of all, as it happened or as it happens."""

import heapq
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from sightline_cli.errors import CliError, MisuseError
from sightline_cli.interrupts import interruptible
from sightline_cli.stack import Stack

POLL_SECONDS = 0.5
# FilterLogEvents of a real account: five calls a second for everybody in it.
AWS_SECONDS_PER_FUNCTION = 0.3
# Events of a real account may be stored out of order, some seconds late.
OVERLAP_MS = 10_000
LAMBDAS_OWN = ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """What one function said; `event_id` is unique within its log group."""

    function: str
    timestamp: int  # ms since 1970
    stream: str
    message: str
    event_id: str


@dataclass
class FunctionLogs:
    """Reads the log groups of functions: logical id → group."""

    client: Any
    groups: dict[str, str]
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def lines(self, since: int) -> Iterator[LogLine]:
        """From the millisecond `since` on, in the order of time."""
        every = [self._of(function, group, since) for function, group in self.groups.items()]
        return heapq.merge(*every, key=lambda line: line.timestamp)

    def news(self, since: int) -> list[LogLine]:
        """What came since the last call."""
        begin = max(since, max(self._seen.values(), default=since) - OVERLAP_MS)
        self._seen = {key: at for key, at in self._seen.items() if at >= begin}
        fresh = [line for line in self.lines(begin) if (line.function, line.event_id) not in self._seen]
        self._seen |= {(line.function, line.event_id): line.timestamp for line in fresh}
        return fresh

    def _of(self, function: str, group: str, since: int) -> Iterator[LogLine]:
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
        try:
            for page in pages:
                for event in page["events"]:
                    stream, event_id = event["logStreamName"], event["eventId"]
                    message = event["message"].rstrip("\n")
                    yield LogLine(function, event["timestamp"], stream, message, event_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise  # a group that is not there: its function has said nothing yet


def run_logs(stack: Stack, *, functions: list[str], since: str, follow: bool, as_json: bool) -> None:
    """Print what was said, oldest first; with `follow` go on until Ctrl-C."""
    begin = int(moment_of(since, datetime.now(UTC)).timestamp() * 1000)
    logs = FunctionLogs(stack.client("logs"), _chosen(functions_of(stack), functions))
    console = Console(highlight=False, soft_wrap=True)
    if not follow:
        _show(logs.lines(begin), console, as_json=as_json)
        return
    pause = POLL_SECONDS if stack.target.endpoint_url else AWS_SECONDS_PER_FUNCTION * len(logs.groups)
    with interruptible() as interrupt:
        while True:
            _show(logs.news(begin), console, as_json=as_json)
            interrupt.sleep(pause)


def functions_of(stack: Stack) -> dict[str, str]:
    """The functions of the stack: logical id → name."""
    _ = stack.outputs  # says in one line when there is no such stack
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack.target.stack_name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function" and resource.get("PhysicalResourceId")
    }


def _chosen(known: dict[str, str], wanted: list[str]) -> dict[str, str]:
    """Log groups of the functions that were asked for: by logical id, name, or the name of their folder."""
    found = {}
    for name in wanted or known:
        logical_id = next((one for one in known if _plain(name) in (_plain(one), _plain(known[one]))), None)
        if logical_id is None:
            raise CliError(
                f"no function {name} in this stack: there are {', '.join(sorted(known)) or 'none'}"
            )
        found[logical_id] = f"/aws/lambda/{known[logical_id]}"
    return found


def _plain(name: str) -> str:
    return re.sub(r"[_-]", "", name).lower()


def moment_of(since: str, now: datetime) -> datetime:
    """`10m`, `2h`, `1d` or `90s` ago, or an ISO 8601 time (of this machine's zone if it names none)."""
    if ago := re.fullmatch(r"(\d{1,6})([smhd])", since):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(since).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MisuseError(f"--since {since}: use 90s, 10m, 2h, 1d or a time like 2026-11-22T08:00") from error


def _show(lines: Iterable[LogLine], console: Console, *, as_json: bool) -> None:
    for line in lines:
        if as_json:
            print(json.dumps(_as_object(line)), flush=True)
        else:
            console.print(text_of(line))


def _as_object(line: LogLine) -> dict[str, str]:
    at = datetime.fromtimestamp(line.timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "timestamp": at.replace("+00:00", "Z"),
        "function": line.function,
        "stream": line.stream,
        "message": line.message,
    }


def text_of(line: LogLine) -> Text:
    """`2026-11-22 14:02:07.123  PlanDevice  …`: the time is this terminal's."""
    at = datetime.fromtimestamp(line.timestamp / 1000, UTC).astimezone()
    text = Text().append(f"{at:%Y-%m-%d %H:%M:%S}.{line.timestamp % 1000:03d}  ", style="dim")
    text.append(line.function, style="bold")
    # awslambdaric writes the lines of a traceback with \r, so that they stay one event.
    message = "\n    ".join(_printable(part) for part in re.split(r"[\r\n]+", line.message))
    return text.append(f"  {message}", style=_style(line.message))


def _style(message: str) -> str:
    if "\tStatus: " in message or message.startswith("[ERROR]") or "Error: Runtime exited" in message:
        return "red"
    if "\tInit Duration: " in message:
        return "yellow"  # a cold start
    is_lambdas = message.startswith(
        ("INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ")
    )
    return "dim" if is_lambdas else ""


def _printable(text: str) -> str:
    """What a function prints must not move the cursor."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in text)
