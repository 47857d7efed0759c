"""One HTTP request whose body and answer flow at the same time, over one socket and one thread.

No second thread reads the answer: not every Python that we support can read and write one TLS socket from two
threads at once. The socket does not block; select says which way is free.
"""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from sightline_camera.errors import LostConnectionError
from sightline_camera.response import ResponseReader

_CONNECT_SECONDS = 10.0
_STALL_SECONDS = 30.0
_PIECE = 262_144


class DuplexPost:
    """A POST with a chunked body; `response` is the answer so far, receive() gives the answer's body."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self.response = ResponseReader()
        self._received = bytearray()
        self._lost: LostConnectionError | None = None
        self._socket = _connect(parts)
        self._socket.setblocking(False)
        head = [
            f"POST {parts.path or '/'} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        try:
            self._write("\r\n".join([*head, "", ""]).encode("latin-1"))
        except LostConnectionError:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        """Send one chunk of the body; answers that arrive meanwhile are kept for receive()."""
        self._write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self) -> None:
        """Say that the body is complete."""
        self._write(b"0\r\n\r\n")

    def receive(self, seconds: float) -> bytes:
        """Return what the answer's body brings within this time, as soon as it brings something.

        What came before the connection broke is returned first, LostConnectionError is for the next call.
        """
        deadline = time.monotonic() + seconds
        while not self._received and not self.response.ended:
            if self._lost:
                raise self._lost
            left = deadline - time.monotonic()
            # What TLS has already decrypted does not make the socket readable.
            readable = self._pending() or select.select([self._socket], [], [], max(0.0, left))[0]
            if readable:
                self._read()
            if left <= 0:
                break
        taken, self._received = bytes(self._received), bytearray()
        return taken

    def close(self) -> None:
        self._socket.close()

    def _write(self, data: bytes) -> None:
        view, deadline = memoryview(data), time.monotonic() + _STALL_SECONDS
        while view:
            readable, writable, _ = select.select([self._socket], [self._socket], [], 1.0)
            if readable or self._pending():
                self._read()
            # An error answer ends the request: what is left of the body interests nobody.
            if self.response.ended or (self.response.status or 200) != 200:
                return
            if self._lost:
                raise self._lost
            sent = self._send_some(view[:_PIECE]) if writable else 0
            if sent:
                view, deadline = view[sent:], time.monotonic() + _STALL_SECONDS
            elif time.monotonic() > deadline:
                raise LostConnectionError(f"the server takes no more data since {_STALL_SECONDS:.0f} s")

    def _send_some(self, data: memoryview) -> int:
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return 0
        except OSError as error:
            # A server that refuses may close before it read everything; its answer is still in our buffer.
            self._read()
            self._lost = self._lost or _broken(error)
            return 0

    def _read(self) -> None:
        """Take what is there; that the connection broke is kept in `_lost`, after what came before."""
        try:
            while data := self._socket.recv(65_536):
                self._received += self.response.feed(data)
                if not self._pending() and not select.select([self._socket], [], [], 0)[0]:
                    return
            self.response.close()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except LostConnectionError as error:
            self._lost = error
        except OSError as error:
            self._lost = _broken(error)

    def _pending(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0


def _broken(error: OSError) -> LostConnectionError:
    return LostConnectionError(f"the connection broke ({error.strerror or error})")


def _connect(parts: SplitResult) -> socket.socket:
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    try:
        plain = socket.create_connection((host, port), timeout=_CONNECT_SECONDS)
    except OSError as error:
        raise _unreachable(host, port, error) from None
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not is_tls:
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except OSError as error:
        plain.close()
        raise _unreachable(host, port, error) from None


def _unreachable(host: str, port: int, error: OSError) -> LostConnectionError:
    return LostConnectionError(f"cannot reach {host}:{port} ({error.strerror or error})")
