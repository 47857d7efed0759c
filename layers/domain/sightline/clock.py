"""The time, as an argument: whoever needs it is given a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The one clock of production."""
    return datetime.now(UTC)


def to_iso(moment: datetime) -> str:
    """`2026-11-22T17:04:05.678Z`: UTC, milliseconds, and so also sortable as text."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


def from_iso(text: str) -> datetime:
    """The aware UTC moment of an ISO 8601 text; a text without an offset is refused with ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no UTC offset")
    return moment.astimezone(UTC)
