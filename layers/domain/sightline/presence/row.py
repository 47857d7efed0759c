"""Bytes of the sightings stream → what presence needs of them."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from sightline.presence.model import MOST_SITE_SIGNS, Seen

# As keys of DynamoDB ids may have 2,048 bytes; a sign has four of them at most.
MOST_ID_SIGNS = 200
Id = Annotated[str, Meta(min_length=1, max_length=MOST_ID_SIGNS)]
Moment = Annotated[datetime, Meta(tz=True)]


class UnreadableRowError(Exception):
    """The bytes are no row of a sighting, and will be none on a retry."""


class _Row(msgspec.Struct, gc=False):
    sighting_id: Id
    device_id: Id
    seen_at: Moment
    # Of no interest to the other consumers when they are wrong, and so no reason to set a row aside.
    person_id: Any = None
    person_name: Any = None
    visit_id: Any = None
    site: Any = None


_DECODER = msgspec.json.Decoder(_Row)


def read_seen(payload: bytes) -> Seen | None:
    """None when nothing was decided about the sighting: who it is, and the visit.

    UnreadableRowError says what is wrong, without quoting the row.
    """
    try:
        row = _DECODER.decode(payload)
        payload.decode()  # msgspec looks only into the members that it reads
        seen_at = row.seen_at.astimezone(UTC)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableRowError(str(error)) from error
    except OverflowError:  # year 1 or 9999 beyond the date line
        raise UnreadableRowError("seen_at is no date in UTC") from None
    person_id, visit_id = _text(row.person_id), _text(row.visit_id)
    if person_id is None or visit_id is None:
        return None
    if max(len(person_id), len(visit_id)) > MOST_ID_SIGNS:
        raise UnreadableRowError(f"person_id or visit_id has more than {MOST_ID_SIGNS} signs")
    return Seen(
        person_id,
        _text(row.person_name),
        row.device_id,
        (_text(row.site) or "")[:MOST_SITE_SIGNS] or None,
        visit_id,
        row.sighting_id,
        # Kept to the millisecond, as everything that is written down about a sighting.
        seen_at.replace(microsecond=seen_at.microsecond // 1000 * 1000),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
