"""Bytes of the sightings stream → SightingRow; members that are not looked at are kept as they came."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from sightline.history.model import SightingRow

# Keys of DynamoDB: 1,024 bytes for the sort key, of which the moment takes 25, and 4 bytes a sign at most.
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]
# An item has 400 KB; a row has 1 KB, so anything near it is not one of ours.
MOST_BYTES = 300 * 1024


class UnreadableRowError(Exception):
    """The bytes are no row of a sighting, and will be none on a retry."""


class _Row(msgspec.Struct, gc=False):
    sighting_id: Id
    device_id: Id
    seen_at: Moment
    recorded_at: Moment
    person_id: Id | None = None
    visit_id: Id | None = None
    similarity: Annotated[float, Meta(ge=0, le=100)] | None = None
    site: str | None = None


_DECODER = msgspec.json.Decoder(_Row)


def read_row(payload: bytes) -> SightingRow:
    """UnreadableRowError says what is wrong, without quoting the row."""
    if len(payload) > MOST_BYTES:
        raise UnreadableRowError(f"the row has more than {MOST_BYTES} bytes")
    try:
        row = _DECODER.decode(payload)
        content = payload.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableRowError(str(error)) from error
    return SightingRow(
        row.sighting_id,
        row.device_id,
        _in_utc(row.seen_at),
        row.person_id,
        row.visit_id,
        row.similarity,
        row.site,
        _in_utc(row.recorded_at),
        content,
    )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 beyond the date line
        raise UnreadableRowError("a moment is no date in UTC") from None
