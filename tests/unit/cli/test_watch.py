"""`sightline watch`: every alert once, in order, through outages."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from sightline_cli.api import ApiError
from sightline_cli.errors import CliError
from sightline_cli.watch import OVERLAP, WHOLE_LOOK_EVERY, Follower, _follow, line_of

NOW = datetime.now(UTC).replace(microsecond=0)


def an_alert(number: int, seen_at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    moment = seen_at or NOW + timedelta(milliseconds=number)
    return {
        "alert_id": f"al-{number}",
        "seen_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "person": {"id": "ada", "name": "Ada Lovelace"},
        "device": {"id": "gate-3", "name": "Gate 3", "site": "Harbour"},
        "watchlist": {"id": "default", "name": "Watchlist", "severity": "high"},
        "similarity": 99.123,
        **changes,
    }


@dataclass
class FakeApi:
    """GET /alerts: newest first, two a page, at or after `from`."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Exception | None] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    def get(self, path: str) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.queries.append(query)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        found = [alert for alert in self.alerts if alert["seen_at"] >= query["from"]]
        found.sort(key=lambda alert: alert["seen_at"], reverse=True)
        start = int(query.get("cursor", "0"))
        following = str(start + 2) if len(found) > start + 2 else None
        return {"items": found[start : start + 2], "next_cursor": following}


def a_follower(api: FakeApi, **changes: Any) -> Follower:
    return Follower(**{"api": api, "device_id": None, "severity": None, "since": NOW, **changes})


def ids(alerts: list[dict[str, Any]]) -> list[str]:
    return [alert["alert_id"] for alert in alerts]


def test_what_was_there_before_is_no_news_and_what_comes_is_told_once_and_oldest_first() -> None:
    api = FakeApi([an_alert(n) for n in range(5)])
    follower = a_follower(api)

    follower.begin()
    before = follower.new_alerts()
    api.alerts += [an_alert(n) for n in (7, 6, 8, 9, 10)]
    news, after = follower.new_alerts(), follower.new_alerts()

    assert (ids(before), ids(after)) == ([], [])
    assert ids(news) == ["al-6", "al-7", "al-8", "al-9", "al-10"]


def test_an_alert_that_comes_late_is_told_although_newer_ones_were_told_before() -> None:
    api = FakeApi()
    follower = a_follower(api)
    follower.begin()
    api.alerts.append(an_alert(5))
    follower.new_alerts()

    api.alerts.append(an_alert(1, NOW - OVERLAP + timedelta(seconds=1)))

    assert ids(follower.new_alerts()) == ["al-1"]


def test_a_late_alert_below_many_others_is_found_by_the_look_at_all_pages() -> None:
    api = FakeApi([an_alert(n) for n in range(10, 16)])
    follower = a_follower(api)
    follower.begin()
    api.alerts.append(an_alert(1))

    found = [ids(follower.new_alerts()) for _ in range(WHOLE_LOOK_EVERY)]

    assert [each for each in found if each] == [["al-1"]]


def test_a_camera_whose_clock_is_ahead_hides_nobody() -> None:
    api = FakeApi([an_alert(1, NOW + timedelta(hours=5))])
    follower = a_follower(api)
    follower.begin()

    api.alerts.append(an_alert(2))

    assert "al-2" in ids(follower.new_alerts())
    assert follower.new_alerts() == []


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    long_ago = NOW - timedelta(hours=2)
    api = FakeApi([an_alert(n, long_ago + timedelta(minutes=n)) for n in range(1, 14)])
    follower = a_follower(api, since=long_ago)
    assert len(follower.new_alerts()) == 13

    api.alerts.append(an_alert(0, NOW))
    assert [ids(follower.new_alerts()) for _ in range(2)] == [["al-0"], []]

    assert set(follower._known) == {"al-0"}


def test_filters_go_to_the_api() -> None:
    api = FakeApi()

    a_follower(api, device_id="gate-3", severity="high").begin()

    assert api.queries[0]["device_id"] == "gate-3"
    assert api.queries[0]["severity"] == "high"


def test_a_look_that_fails_half_way_loses_nothing() -> None:
    api = FakeApi()
    follower = a_follower(api)
    follower.begin()
    api.alerts += [an_alert(n) for n in range(4)]
    api.failures = [None, CliError("the API does not answer")]

    with pytest.raises(CliError):
        follower.new_alerts()

    assert ids(follower.new_alerts()) == ["al-0", "al-1", "al-2", "al-3"]


class Clicks:
    """An interrupt that comes after so many polls."""

    def __init__(self, polls: int) -> None:
        self.left = polls

    def sleep(self, _seconds: float) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def follow(api: FakeApi, polls: int, *, as_json: bool = False) -> None:
    follower = a_follower(api)
    with pytest.raises(KeyboardInterrupt):
        _follow(follower, Clicks(polls), Console(highlight=False), as_json=as_json)  # type: ignore[arg-type]


def test_an_outage_is_told_once_and_watched_through(capsys: pytest.CaptureFixture[str]) -> None:
    gone = CliError("the API at http://x does not answer (NewConnectionError)")
    api = FakeApi([an_alert(1)], failures=[gone, gone, ApiError(503, "busy")])

    follow(api, 4)

    told = capsys.readouterr()
    assert told.err.splitlines() == [f"sightline: {gone}; trying again"]
    assert "Ada Lovelace" in told.out


def test_a_refusal_ends_the_watch() -> None:
    api = FakeApi(failures=[ApiError(400, "The query is not valid. (severity must be one of …)")])

    with pytest.raises(ApiError):
        _follow(a_follower(api), Clicks(9), Console(), as_json=False)  # type: ignore[arg-type]


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    follow(FakeApi([an_alert(1), an_alert(2)]), 2, as_json=True)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"event": "alert", "alert": an_alert(n)} for n in (1, 2)]


def test_a_line_tells_when_how_serious_who_where_and_how_sure() -> None:
    line = line_of(an_alert(1)).plain

    assert line.endswith("  high      Ada Lovelace  Gate 3 (Harbour)  99.1 %")


def test_an_unknown_face_of_a_nameless_device_has_a_line_too() -> None:
    alert = an_alert(1, person=None, watchlist=None, similarity=None, device={"id": "gate-3", "name": ""})

    assert line_of(alert).plain.endswith("  -         unknown face  gate-3")


def test_a_name_does_not_move_the_cursor() -> None:
    alert = an_alert(1, person={"id": "x", "name": "\x1b[2JAda"})

    assert "\x1b" not in line_of(alert).plain
