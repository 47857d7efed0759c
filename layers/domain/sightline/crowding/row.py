"""Bytes of the crowding stream → Headcount."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from sightline.crowding.model import Headcount

_Moment = Annotated[datetime, Meta(tz=True)]


class UnreadableCountError(Exception):
    """The bytes are no count of people, and will be none on a retry."""


class _Row(msgspec.Struct, gc=False):
    device_id: Annotated[str, Meta(min_length=1, max_length=200)]
    window_start: _Moment
    window_end: _Moment
    people: Annotated[int, Meta(ge=0)]


_DECODER = msgspec.json.Decoder(_Row)


def read_count(payload: bytes) -> Headcount:
    """UnreadableCountError says what is wrong, without quoting the row."""
    try:
        row = _DECODER.decode(payload)
        begin, end = row.window_start.astimezone(UTC), row.window_end.astimezone(UTC)
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
        raise UnreadableCountError(str(error)) from error
    if begin >= end:
        raise UnreadableCountError("the window ends before it begins")
    return Headcount(row.device_id, begin, end, row.people)
