"""Bytes of the sightings stream → rows."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sightline.history.row import MOST_BYTES, UnreadableRowError, read_row
from tests.builders import SEEN_AT, a_sighting_row


def test_a_row_of_the_consumer_is_read_and_its_text_kept() -> None:
    payload = json.dumps(a_sighting_row() | {"person_name": "Zoë"}, ensure_ascii=False).encode()

    row = read_row(payload)

    assert row.content == payload.decode()
    assert (row.device_id, row.person_id, row.visit_id, row.site) == ("gate-3", "ada", "vi-1", "Harbour")
    assert row.seen_at == SEEN_AT
    assert row.moment_key == "2026-11-22T13:02:07.000Z#si-gate-3-ada-0.0"


def test_a_moment_of_another_offset_is_taken_in_utc() -> None:
    row = read_row(json.dumps(a_sighting_row(seen_at="2026-11-22T14:02:07+01:00")).encode())

    assert row.seen_at == datetime(2026, 11, 22, 13, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"sighting_id": ""},
        {"sighting_id": None},
        {"sighting_id": "s" * 201},
        {"device_id": 7},
        {"device_id": ""},
        {"person_id": ""},
        {"seen_at": "2026-11-22T13:02:07"},
        {"seen_at": "0001-01-01T00:00:00+14:00"},
        {"seen_at": 1795348800},
        {"recorded_at": None},
        {"similarity": "99"},
        {"similarity": 101},
        {"site": ["Harbour"]},
    ],
)
def test_a_row_with_a_member_that_cannot_be_is_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRowError):
        read_row(json.dumps(a_sighting_row() | changes).encode())


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"[]", b"null", b'{"similarity": NaN}', b'"' + b"x" * MOST_BYTES + b'"'],
)
def test_bytes_that_are_no_row_are_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableRowError):
        read_row(payload)


def test_the_reason_quotes_nobody() -> None:
    with pytest.raises(UnreadableRowError) as error:
        read_row(json.dumps(a_sighting_row(person_name="Ada Lovelace", similarity=500)).encode())

    assert "Ada" not in str(error.value)
