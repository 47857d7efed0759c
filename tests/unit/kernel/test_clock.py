from datetime import UTC, datetime, timedelta, timezone

import pytest

from sightline.clock import from_iso, to_iso, utc_now


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 22, 19, 4, 5, 678_999, tzinfo=timezone(timedelta(hours=2)))

    assert to_iso(moment) == "2026-11-22T17:04:05.678Z"


def test_what_was_written_is_read_back() -> None:
    moment = datetime(2026, 11, 22, 17, 4, 5, 678_000, tzinfo=UTC)

    assert from_iso(to_iso(moment)) == moment


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no UTC offset"):
        from_iso("2026-11-22T17:04:05")


def test_now_is_aware() -> None:
    assert utc_now().utcoffset() == timedelta(0)
