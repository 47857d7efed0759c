"""Frames between the runtime and a function's process: a JSON head and raw bytes."""

import json
import socket
import struct
import time
from typing import Any

_LENGTHS = struct.Struct(">II")
_LONGEST_HEAD = 1 << 20
_LONGEST_BODY = 64 << 20  # Lambda's limits are far below; beyond it, somebody wrote into our descriptor


class ChannelClosed(Exception):  # noqa: N818  an event rather than an error
    """The other side has gone, or no longer speaks in frames."""


class Channel:
    """One end of a socket pair; used by one thread at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, head: dict[str, Any], body: bytes = b"", deadline: float | None = None) -> None:
        """ChannelClosed when nobody listens any more, TimeoutError when nobody reads until `deadline`."""
        encoded = json.dumps(head).encode()
        try:
            self._socket.settimeout(_seconds_until(deadline))
            self._socket.sendall(_LENGTHS.pack(len(encoded), len(body)) + encoded + body)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, deadline: float | None = None) -> tuple[dict[str, Any], bytes]:
        """Wait for a frame: TimeoutError at `deadline` (time.monotonic), ChannelClosed at the end."""
        head_length, body_length = _LENGTHS.unpack(self._read(_LENGTHS.size, deadline))
        if head_length > _LONGEST_HEAD or body_length > _LONGEST_BODY:
            raise ChannelClosed
        try:
            head = json.loads(self._read(head_length, deadline))
        except ValueError as error:
            raise ChannelClosed from error
        if not isinstance(head, dict):
            raise ChannelClosed
        return head, self._read(body_length, deadline)

    def is_silent(self) -> bool:
        """Whether the other side is there and has said nothing; False when it has gone."""
        try:
            self._socket.settimeout(0)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        self._socket.close()

    def _read(self, length: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            try:
                self._socket.settimeout(_seconds_until(deadline))
                part = self._socket.recv(min(length - len(parts), 1 << 20))
            except TimeoutError:
                raise
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            parts += part
        return bytes(parts)


def _seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0.001)
