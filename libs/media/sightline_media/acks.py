"""PutMedia acknowledgements: JSON objects, one a line, on the response of the same connection."""

import json
from dataclasses import dataclass
from typing import Any

from sightline_media.errors import ErrorId, MediaError

BUFFERING = "BUFFERING"
RECEIVED = "RECEIVED"
PERSISTED = "PERSISTED"
ERROR = "ERROR"
IDLE = "IDLE"


@dataclass(frozen=True, slots=True)
class Ack:
    """One acknowledgement; `timecode_ms` is the fragment's timecode as the producer wrote it."""

    event_type: str
    timecode_ms: int | None = None
    number: str | None = None
    error_id: int | None = None
    error_code: str | None = None


def encode_ack(ack: Ack) -> bytes:
    """One line as the service writes it, with AWS's keys; the name of a known error id is added."""
    fields: dict[str, Any] = {"EventType": ack.event_type}
    if ack.timecode_ms is not None:
        fields["FragmentTimecode"] = ack.timecode_ms
    if ack.number is not None:
        fields["FragmentNumber"] = ack.number
    if ack.error_id is not None:
        fields["ErrorId"] = ack.error_id
        fields["ErrorCode"] = ack.error_code or _error_name(ack.error_id)
    return json.dumps(fields, separators=(",", ":")).encode() + b"\r\n"


class AckReader:
    """Reads acknowledgements out of bytes that are cut anywhere; also several on one line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Ack]:
        """Return the acknowledgements completed by these bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        found = [ack for line in lines for ack in _acks(line)]
        # The service's own parser counts braces: an object need not wait for its line end.
        if self._rest.rstrip().endswith(b"}") and (early := _complete(self._rest)) is not None:
            found += early
            self._rest = b""
        if len(self._rest) > 65_536:
            raise MediaError("the answer to PutMedia is not a stream of acknowledgements")
        return found


def _complete(rest: bytes) -> list[Ack] | None:
    try:
        return _acks(rest)
    except MediaError:
        return None


def _acks(line: bytes) -> list[Ack]:
    text, decoder, found = line.decode(errors="replace").strip(), json.JSONDecoder(), []
    while text:
        try:
            fields, end = decoder.raw_decode(text)
        except ValueError:
            raise MediaError(f"not an acknowledgement: {text[:80]!r}") from None
        if not isinstance(fields, dict):
            raise MediaError(f"not an acknowledgement: {text[:80]!r}")
        found.append(_ack(fields))
        text = text[end:].lstrip()
    return found


def _ack(fields: dict[str, Any]) -> Ack:
    # The prose of the API page says AckEventType, the wire says EventType.
    event_type = fields.get("EventType", fields.get("AckEventType"))
    if not isinstance(event_type, str):
        raise MediaError("an acknowledgement without EventType")
    timecode, error_id, number = (
        fields.get(key) for key in ("FragmentTimecode", "ErrorId", "FragmentNumber")
    )
    return Ack(
        event_type=event_type,
        timecode_ms=int(timecode) if timecode is not None else None,
        number=str(number) if number is not None else None,
        error_id=int(error_id) if error_id is not None else None,
        error_code=fields.get("ErrorCode") or (_error_name(int(error_id)) if error_id is not None else None),
    )


def _error_name(error_id: int) -> str:
    try:
        return ErrorId(error_id).name
    except ValueError:
        return f"ERROR_{error_id}"
