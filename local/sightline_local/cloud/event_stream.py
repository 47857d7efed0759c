"""AWS's event streams: messages of headers and a payload, each with its checksums.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import json
import struct
from binascii import crc32
from collections.abc import Iterator
from typing import Any

from sightline_local.cloud import cbor
from sightline_local.cloud.service import EventStream, ServiceError

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_JSON = "application/x-amz-json-1.1"
_STRING = 7


class EventStreamBody:
    """The body of an answer that lasts; `cancel` ends it, also while another thread waits for more."""

    def __init__(self, stream: EventStream, protocol: str) -> None:
        self._stream, self._is_cbor = stream, protocol == "cbor"
        self.cancel = self.close = stream.cancel

    def __iter__(self) -> Iterator[bytes]:
        yield self._message("event", "initial-response", {})
        try:
            for name, content in self._stream.events:
                yield self._message("event", name, content)
        except ServiceError as error:
            yield self._message("exception", error.code, {"message": error.message})

    def _message(self, kind: str, name: str, content: dict[str, Any]) -> bytes:
        headers = {
            f":{kind}-type": name,
            ":content-type": cbor.CONTENT_TYPE if self._is_cbor else _JSON,
            ":message-type": kind,
        }
        return message(headers, cbor.write(content) if self._is_cbor else json.dumps(content).encode())


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message; its headers are strings."""
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    content = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return content + struct.pack(">I", crc32(content))


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">BH", _STRING, len(value)) + value
