"""Which windows are one crowd, and what its alert says."""

import json
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.crowding.model import (
    MOST_CROWDS,
    Crowd,
    CrowdLog,
    Headcount,
    Meaning,
    WatchedDevice,
    notification_of,
)
from sightline.crowding.row import UnreadableCountError, read_count
from tests.unit.crowding.builders import LIMIT, a_count, a_row, a_watched_device, minute


def log_of(*minutes: int) -> CrowdLog:
    log = CrowdLog("gate-3")
    for number in minutes:
        _, log = log.met(a_count(number))
    return log


def test_the_first_crowded_window_is_a_new_crowd() -> None:
    meaning, log = CrowdLog("gate-3").met(a_count(3))

    assert meaning is Meaning.NEW
    assert log.crowds == (Crowd(minute(3), minute(4)),)


def test_consecutive_windows_are_one_crowd() -> None:
    meaning, log = log_of(3, 4).met(a_count(5))

    assert meaning is Meaning.GROWN
    assert log.crowds == (Crowd(minute(3), minute(6)),)


def test_after_a_window_without_comes_another_crowd() -> None:
    meaning, log = log_of(3).met(a_count(5))

    assert meaning is Meaning.NEW
    assert len(log.crowds) == 2


def test_a_window_that_comes_late_joins_the_crowds_on_both_sides() -> None:
    meaning, log = log_of(3, 5).met(a_count(4))

    assert meaning is Meaning.GROWN
    assert log.crowds == (Crowd(minute(3), minute(6)),)


def test_what_is_older_than_all_that_is_remembered_came_again() -> None:
    full = log_of(*range(10, 10 + 2 * MOST_CROWDS, 2))

    assert full.met(a_count(3)) == (Meaning.KNOWN, full)
    assert log_of(10, 12).met(a_count(3))[0] is Meaning.NEW  # nothing was forgotten yet


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_windows_are_known_when_they_come_again_in_any_order(minutes: list[int]) -> None:
    log = log_of(*sorted(minutes))

    for number in minutes:
        assert log.met(a_count(number)) == (Meaning.KNOWN, log)


@given(st.sets(st.integers(0, 25)), st.randoms())
def test_the_crowds_are_the_same_in_whatever_order_their_windows_come(
    minutes: set[int], chance: random.Random
) -> None:
    shuffled = list(minutes)
    chance.shuffle(shuffled)

    assert log_of(*shuffled).crowds == log_of(*sorted(minutes)).crowds


@pytest.mark.parametrize(
    ("people", "limit", "is_crowded"),
    [(LIMIT, LIMIT, False), (LIMIT + 1, LIMIT, True), (10_000, None, False), (2, 1, True)],
)
def test_a_device_is_crowded_by_more_than_its_limit(people: int, limit: int | None, is_crowded: bool) -> None:
    assert a_watched_device(limit=limit).is_crowded(a_count(1, people)) is is_crowded


def test_an_alert_says_where_when_and_how_many() -> None:
    alert = notification_of(a_watched_device(), a_count(2, people=7))

    body = json.loads(alert.body)
    assert body["kind"] == "crowding"
    assert body["alert_id"].startswith("al-")
    assert body["seen_at"] == "2026-11-22T13:02:00.000Z"
    assert body["crowd"] == {
        "people": 7,
        "people_limit": 5,
        "window_start": "2026-11-22T13:02:00.000Z",
        "window_end": "2026-11-22T13:03:00.000Z",
    }
    assert (body["person"], body["watchlist"], body["evidence"]) == (None, None, None)
    assert alert.subject == "Crowd at Gate-3: 7 people, limit 5, 14:02:00"
    assert alert.attributes == {
        "kind": "crowding",
        "device_id": "gate-3",
        "severity": "medium",
        "people": 7,
        "site": "Harbour",
    }
    assert "14:02:00" in alert.text


@given(st.text(max_size=100), st.integers(1, 10_000), st.integers(2, 10**9))
def test_a_subject_is_always_one_that_sns_takes(name: str, limit: int, people: int) -> None:
    device = WatchedDevice("gate-3", name, None, None, "UTC", limit)

    subject = notification_of(device, a_count(0, people)).subject

    assert 0 < len(subject) < 100
    assert all(" " <= sign <= "~" for sign in subject)


def test_the_alert_of_a_crowd_has_the_same_id_whenever_it_is_written() -> None:
    first, again = (notification_of(a_watched_device(), a_count(2, people=7)) for _ in range(2))
    other = notification_of(a_watched_device(), a_count(4, people=7))

    assert first == again
    assert json.loads(first.body)["alert_id"] != json.loads(other.body)["alert_id"]


def test_a_row_is_read_whatever_else_it_says() -> None:
    count = read_count(a_row(2, 7, new_member=[1]))

    assert count == Headcount("gate-3", minute(2), minute(2) + timedelta(minutes=1), 7)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no JSON \xff",
        b"[]",
        b"{}",
        a_row(2, device_id=""),
        a_row(2, people="many"),
        a_row(2, people=-1),
        a_row(2, window_start="2026-11-22T13:02:00"),
        a_row(2, window_start="yesterday"),
        a_row(2, window_end="2026-11-22T13:02:00.000Z"),
        a_row(2, window_start="0001-01-01T00:00:00+23:00"),
    ],
)
def test_what_is_no_count_is_refused(payload: bytes) -> None:
    with pytest.raises(UnreadableCountError):
        read_count(payload)
