"""`sightline watch`: alerts in the terminal, as they come."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.text import Text

from sightline_cli.api import ApiClient, ApiError
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt, interruptible
from sightline_cli.stack import Stack
from sightline_cli.tokens import api_of

POLL_SECONDS = 1.0
# Alerts do not come in the order of seen_at: one device's records may wait while another's go through.
OVERLAP = timedelta(minutes=15)
# Most news are on the first page; what is late and further down is found by looking at all pages at times.
WHOLE_LOOK_EVERY = 30
COLOURS = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "dim"}


@dataclass
class Follower:
    """Asks the API for alerts from the newest one on, and gives each of them once."""

    api: ApiClient
    device_id: str | None
    severity: str | None
    since: datetime
    _known: dict[str, datetime] = field(default_factory=dict)
    _looks: int = 0

    def begin(self) -> None:
        """What is there already is no news."""
        self._look(is_whole=True)

    def new_alerts(self) -> list[dict[str, Any]]:
        """Oldest first."""
        self._looks += 1
        found = self._look(is_whole=self._looks % WHOLE_LOOK_EVERY == 0)
        return sorted(found, key=lambda alert: str(alert["seen_at"]))

    def _look(self, *, is_whole: bool) -> list[dict[str, Any]]:
        begin = self._begin()
        news: dict[str, dict[str, Any]] = {}
        for page in self._pages(begin):
            fresh = {alert["alert_id"]: alert for alert in page if alert["alert_id"] not in self._known}
            news |= fresh
            if page and not fresh and not is_whole:
                break
        # Only now: a look that failed half-way is repeated as a whole.
        seen = {alert_id: datetime.fromisoformat(alert["seen_at"]) for alert_id, alert in news.items()}
        self._known = {alert_id: at for alert_id, at in (self._known | seen).items() if at >= begin}
        return list(news.values())

    def _pages(self, begin: datetime) -> Iterator[list[dict[str, Any]]]:
        cursor: str | None = None
        while True:
            page = self.api.get(f"/alerts?{self._query(begin, cursor)}")
            yield page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _begin(self) -> datetime:
        # A camera whose clock is ahead must not hide the alerts of the others.
        begin = min(max(self._known.values(), default=self.since), datetime.now(UTC)) - OVERLAP
        return begin.replace(microsecond=begin.microsecond // 1000 * 1000)

    def _query(self, begin: datetime, cursor: str | None) -> str:
        wanted = {
            "from": begin.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "device_id": self.device_id,
            "severity": self.severity,
            "limit": "100",
            "cursor": cursor,
        }
        return urlencode({name: value for name, value in wanted.items() if value is not None})


def run_watch(stack: Stack, *, device_id: str | None, severity: str | None, as_json: bool) -> None:
    """Print each alert as it comes, until Ctrl-C."""
    follower = Follower(api_of(stack), device_id, severity, since=datetime.now(UTC))
    console = Console(highlight=False, soft_wrap=True)
    with interruptible() as interrupt:
        follower.begin()
        print("watching for alerts; Ctrl-C ends it", file=sys.stderr)
        _follow(follower, interrupt, console, as_json=as_json)


def _follow(follower: Follower, interrupt: Interrupt, console: Console, *, as_json: bool) -> None:
    is_cut_off = False
    while True:
        interrupt.sleep(POLL_SECONDS)
        try:
            alerts = follower.new_alerts()
        except CliError as error:
            if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                raise
            if not is_cut_off:
                print(f"sightline: {error}; trying again", file=sys.stderr)
            is_cut_off = True
            continue
        is_cut_off = False
        for alert in alerts:
            if as_json:
                print(json.dumps({"event": "alert", "alert": alert}), flush=True)
            else:
                console.print(line_of(alert))


def line_of(alert: dict[str, Any]) -> Text:
    """`14:02:07  high      Ada Lovelace  Gate 3 (Harbour)  99.1 %`: the time is this terminal's."""
    severity = str((alert.get("watchlist") or {}).get("severity") or "-")
    person, device = alert.get("person") or {}, alert["device"]
    site = f" ({device['site']})" if device.get("site") else ""
    similarity = alert.get("similarity")
    time = datetime.fromisoformat(alert["seen_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    line = Text(f"{time}  ")
    line.append(f"{severity:8}", style=COLOURS.get(severity, ""))
    line.append(f"  {_printable(person.get('name') or person.get('id') or 'unknown face')}", style="bold")
    line.append(f"  {_printable(device.get('name') or device['id'])}{_printable(site)}")
    line.append("" if similarity is None else f"  {similarity:.1f} %")
    return line


def _printable(text: str) -> str:
    """A name must not move the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
