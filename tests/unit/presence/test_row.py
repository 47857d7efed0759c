"""What presence reads of a row, and which rows it sets aside."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sightline.presence.row import UnreadableRowError, read_seen
from tests.builders import SEEN_AT, a_sighting_row


def payload(**changes: Any) -> bytes:
    return json.dumps(a_sighting_row(**changes)).encode()


def test_a_decided_sighting_says_who_was_where_and_when() -> None:
    seen = read_seen(payload(at_seconds=1.2345, site="north"))

    assert seen is not None
    assert (seen.person_id, seen.device_id, seen.site, seen.visit_id) == ("ada", "gate-3", "north", "vi-1")
    assert seen.seen_at == SEEN_AT + timedelta(seconds=1.234)


@pytest.mark.parametrize(
    "changes",
    [
        {"person_id": None},
        {"person_id": ""},
        {"person_id": 7},
        {"visit_id": None},
        {"visit_id": ""},
        {"visit_id": ["vi-1"]},
    ],
)
def test_a_sighting_of_nobody_or_of_no_visit_says_nothing(changes: dict[str, Any]) -> None:
    assert read_seen(payload(**changes)) is None


@pytest.mark.parametrize(
    "changes", [{"similarity": "high"}, {"site": 7}, {"person_name": {}}, {"pose_yaw": []}]
)
def test_a_wrong_type_elsewhere_is_no_reason_to_set_a_row_aside(changes: dict[str, Any]) -> None:
    seen = read_seen(payload(**changes))

    assert seen is not None
    assert seen.person_id == "ada"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"{",
        b'{"sighting_id": "si-1", "device_id": "gate-3", "seen_at": "2026-11-22T13:02:07Z", "x": "\xff"}',
        payload(sighting_id=""),
        payload(sighting_id=None),
        payload(device_id=""),
        payload(device_id=3),
        payload(seen_at="yesterday"),
        payload(seen_at=1795352527),
        payload(seen_at="2026-11-22T13:02:07"),
        payload(seen_at="0001-01-01T00:00:00+14:00"),
        payload(sighting_id="\ud800"),
        payload(person_id="x" * 201),
        payload(visit_id="x" * 201),
    ],
)
def test_what_is_no_row_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableRowError):
        read_seen(content)


def test_members_that_are_missing_are_like_null() -> None:
    row = a_sighting_row()
    needed = {name: row[name] for name in ("sighting_id", "device_id", "seen_at", "person_id", "visit_id")}

    seen = read_seen(json.dumps(needed).encode())

    assert seen is not None
    assert (seen.site, seen.person_name) == (None, None)


def test_a_site_without_a_name_is_none_and_a_long_one_is_cut() -> None:
    empty, long = read_seen(payload(site="")), read_seen(payload(site="x" * 3000))

    assert empty is not None
    assert long is not None
    assert (empty.site, len(long.site or "")) == (None, 200)


def test_the_reason_does_not_quote_the_row() -> None:
    with pytest.raises(UnreadableRowError) as refused:
        read_seen(payload(seen_at="Ada Lovelace"))

    assert "Ada" not in str(refused.value)
