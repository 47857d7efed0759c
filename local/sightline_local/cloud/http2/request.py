"""The request of one stream, as a WSGI application sees it."""

import io
import sys
from collections.abc import Callable, Iterable
from threading import Condition
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import ClientDisconnected

Address = tuple[str, int]


def environ_of(headers: Iterable[tuple[bytes, bytes]], server: Address, client: Address) -> dict[str, Any]:
    """Everything but `wsgi.input`."""
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/2",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": client[1],
    }
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        match name:
            case ":method":
                environ["REQUEST_METHOD"] = value
            case ":path":
                environ |= _target(value)
            case ":authority":
                environ["HTTP_HOST"] = value
            case "content-type" | "content-length":
                environ[name.upper().replace("-", "_")] = value
            case _ if name[0] != ":" and "_" not in name:
                _add(environ, f"HTTP_{name.upper().replace('-', '_')}", value)
    if "CONTENT_LENGTH" not in environ:
        environ["wsgi.input_terminated"] = True  # the body ends where the stream says
    return environ


def _target(path: str) -> dict[str, str]:
    raw_path, _, query = path.partition("?")
    return {
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": path,
        "RAW_URI": path,
    }


def _add(environ: dict[str, Any], key: str, value: str) -> None:
    if key == "HTTP_HOST" and key in environ:
        return  # what :authority says is what counts
    between = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{between}{value}" if key in environ else value


class Body(io.RawIOBase):
    """What the client has sent so far; reading more waits for more."""

    def __init__(self, arrived: Condition, acknowledge: Callable[[int], None]) -> None:
        self._arrived = arrived
        self._acknowledge = acknowledge
        self._waiting = bytearray()
        self._unacknowledged = 0
        self._complete = self._broken = False

    # These are called with the condition held.

    def take(self, data: bytes, flow_controlled_bytes: int) -> None:
        self._waiting += data
        self._unacknowledged += flow_controlled_bytes

    def complete(self) -> None:
        self._complete = True

    def break_off(self) -> None:
        """The client goes away in the middle of it."""
        self._broken = not self._complete
        self._waiting.clear()

    def left_unread(self) -> int:
        """How much of the window is still to be given back; nothing comes after it."""
        left, self._unacknowledged = self._unacknowledged, 0
        return left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._complete or self._broken)
            if self._broken:
                raise ClientDisconnected
            size = min(len(buffer), len(self._waiting))
            buffer[:size] = self._waiting[:size]
            del self._waiting[:size]
            acknowledged = 0 if self._waiting else self._unacknowledged
            self._unacknowledged -= acknowledged
        if acknowledged:
            self._acknowledge(acknowledged)
        return size
