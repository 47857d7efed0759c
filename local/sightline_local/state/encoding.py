"""What moto's objects hold, as JSON and back."""

import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

_SIMPLE = (str, int, float, bool, type(None), datetime)


def encode(value: Any) -> bytes:
    """JSON; bytes and moments of time too."""
    return json.dumps(value, default=_special, ensure_ascii=False, separators=(",", ":")).encode()


def decode(fact: bytes) -> Any:
    return json.loads(fact, object_hook=_revived)


def simple_attributes(thing: Any) -> dict[str, Any]:
    """The attributes of an object that are texts, numbers, moments, true, false or nothing."""
    return {name: value for name, value in vars(thing).items() if isinstance(value, _SIMPLE)}


def _special(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {"$bytes": b64encode(value).decode()}
    if hasattr(value, "items"):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _revived(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$moment" in value:
            return datetime.fromisoformat(value["$moment"])
        if "$bytes" in value:
            return b64decode(value["$bytes"])
    return value
