"""Lists a page at a time: `?limit=&cursor=` in, `{"items", "next_cursor"}` out."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sightline.errors import FieldError, RejectedError

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
_MARK = "v1:"  # tells our cursors from other base64, and one day an old cursor from a new one

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items (1-100), and the key after which they begin (None: from the start)."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the key of the last one if more may follow."""

    items: tuple[Item, ...]
    last_key: str | None

    def to_json(self, of: Callable[[Item], dict[str, Any]]) -> dict[str, Any]:
        return {
            "items": [of(item) for item in self.items],
            "next_cursor": None if self.last_key is None else _encode(self.last_key),
        }


def read_page_request(limit: str | None, cursor: str | None) -> PageRequest:
    """The two query parameters as sent; RejectedError names the one that is wrong."""
    return PageRequest(limit=_limit(limit), after=None if cursor is None else _decode(cursor))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise _rejected("limit", f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(f"{_MARK}{key}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(_MARK) or text == _MARK:
        raise _rejected("cursor", "is not a next_cursor that this list has returned")
    return text.removeprefix(_MARK)


def _rejected(field: str, message: str) -> RejectedError:
    return RejectedError("The query is not valid.", [FieldError(field, message)])
