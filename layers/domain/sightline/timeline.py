"""Lists in order of time: a window (`?from=&to=`) and a place in it (`?cursor=`)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn, Self

from sightline.clock import from_iso, to_iso
from sightline.errors import FieldError, RejectedError

_BETWEEN = "|"
# DynamoDB answers longer sort keys (1,024 bytes) with an error of ours, not the caller's.
MOST_KEY_BYTES = 1000
MOST_ID_SIGNS = 100
_HINT = "must be a moment with its offset, such as 2026-11-22T13:02:07Z (+ is written %2B)"


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` (included) to `end` (excluded); None is open."""

    begin: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.begin is None or self.begin <= moment) and (self.end is None or moment < self.end)


ALWAYS: Final = Window()


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the item `item_id` of that moment; without an item before everything of that moment."""

    moment: datetime
    item_id: str = ""

    def to_key(self) -> str:
        return f"{to_iso(self.moment)}{_BETWEEN}{self.item_id}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """RejectedError: the key is of another list, or made up."""
        moment, between, item_id = key.partition(_BETWEEN)
        try:
            place = cls(from_iso(moment), item_id)
        except ValueError:
            refuse_cursor()
        if not between or place.to_key() != key or len(key.encode()) > MOST_KEY_BYTES:
            refuse_cursor()
        return place


def read_window(query: Mapping[str, str]) -> Window:
    """`from` and `to` of a query; RejectedError names the one that is wrong."""
    window = Window(_moment(query, "from"), _moment(query, "to"))
    if window.begin and window.end and window.begin >= window.end:
        refuse("to", "must be later than from")
    return window


def read_choice(query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """A parameter with few possible values; None when it is not there."""
    value = query.get(name)
    if value is not None and value not in choices:
        refuse(name, f"must be one of {', '.join(choices)}")
    return value


def read_id(query: Mapping[str, str], name: str) -> str | None:
    value = query.get(name)
    if value is not None and not 1 <= len(value) <= MOST_ID_SIGNS:
        refuse(name, f"must be 1 to {MOST_ID_SIGNS} characters")
    return value


def check_parameters(query: Mapping[str, str], known: Collection[str]) -> None:
    """A misspelt filter would quietly answer with everything."""
    if unknown := sorted(query.keys() - {*known, "limit", "cursor"}):
        refuse(unknown[0], f"is not a parameter of this list; there are {', '.join(known)}, limit, cursor")


def refuse(field: str, message: str) -> NoReturn:
    raise RejectedError("The query is not valid.", [FieldError(field, message)])


def refuse_cursor() -> NoReturn:
    refuse("cursor", "is not a next_cursor that this list has returned")


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        moment = from_iso(text)
        # Whatever is kept is kept to the millisecond, and looked for so.
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    except (ValueError, OverflowError):
        refuse(name, _HINT)
