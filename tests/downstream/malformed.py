"""What may come on the sightings stream and is no sighting; every consumer sets exactly these aside."""

import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any


def malformed_payloads(of: bytes, count: int) -> Iterator[bytes]:
    """So many, each different: `of` is a sighting that they were made from."""
    for number, (kind, payload) in enumerate(islice(cycle(_kinds(of)), count)):
        # Beyond the first round the same kinds come again, with other bytes.
        yield payload if number < len(_kinds(of)) else payload + b" " * (number + len(kind))


def _kinds(of: bytes) -> list[tuple[str, bytes]]:
    row: dict[str, Any] = json.loads(of)

    def changed(**values: Any) -> bytes:
        return json.dumps(row | values).encode()

    def without(name: str) -> bytes:
        return json.dumps({each: value for each, value in row.items() if each != name}).encode()

    return [
        ("no JSON", b"this is no JSON"),
        ("cut off", of[: len(of) // 2]),
        ("not UTF-8", b"\xff\xfe\x00" + of[:20]),
        ("an array", b"[" + of + b"]"),
        ("null", b"null"),
        ("no id", without("sighting_id")),
        ("an empty id", changed(sighting_id="")),
        ("a device that is a number", changed(sighting_id="si-of-a-number", device_id=7)),
        ("no moment", changed(sighting_id="si-of-no-moment", seen_at=None)),
        ("a moment that is none", changed(sighting_id="si-of-yesterday", seen_at="yesterday")),
    ]
