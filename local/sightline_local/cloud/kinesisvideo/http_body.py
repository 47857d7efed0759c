"""Bodies of HTTP messages that are read and written piece by piece, while the other side does the same."""

import select
import socket
from collections.abc import Iterable

PIECE_BYTES = 262_144


class RequestBody:
    """A request body straight from the socket, chunked or of known length."""

    def __init__(self, connection: socket.socket, length: int | None = None) -> None:
        self._connection = connection
        self._is_chunked = length is None
        self._left = length or 0  # of the chunk, or of the whole body
        self._received = bytearray()
        self._ended = length == 0
        self._chunk_needs_line_end = False

    def read(self, seconds: float) -> bytes | None:
        """The next piece; b"" at the end, None if nothing came for that long, ConnectionError if cut off."""
        while (piece := self._take()) is None:
            self._connection.settimeout(seconds)
            try:
                data = self._connection.recv(PIECE_BYTES)
            except TimeoutError:
                return None
            if not data:
                raise ConnectionResetError("the client went away in the middle of its request")
            self._received += data
        return piece

    def _take(self) -> bytes | None:
        if self._ended:
            return b""
        if not self._left and not self._begin_chunk():
            return b"" if self._ended else None
        if not self._received:
            return None
        piece = bytes(self._received[: self._left])
        del self._received[: len(piece)]
        self._left -= len(piece)
        self._chunk_needs_line_end = self._is_chunked and not self._left
        self._ended = not self._is_chunked and not self._left
        return piece

    def _begin_chunk(self) -> bool:
        if self._chunk_needs_line_end:
            if len(self._received) < 2:
                return False
            del self._received[:2]
            self._chunk_needs_line_end = False
        line, found, _ = self._received.partition(b"\r\n")
        if not found:
            return False
        del self._received[: len(line) + 2]
        try:
            self._left = int(bytes(line).split(b";")[0], 16)
        except ValueError as error:
            raise ConnectionResetError("the request is not chunked as HTTP/1.1 demands") from error
        self._ended = not self._left
        return not self._ended


class ChunkedAnswer:
    """The body of an answer with `Transfer-Encoding: chunked`; each piece leaves at once."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, piece: bytes) -> None:
        self._connection.settimeout(None)
        self._connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))

    def send_all(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self.send(piece)

    def end(self) -> None:
        self._connection.sendall(b"0\r\n\r\n")


def has_gone(connection: socket.socket) -> bool:
    """Whether a client that has nothing more to say has hung up."""
    ready, _, _ = select.select([connection], [], [], 0)
    if not ready:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def hang_up(connection: socket.socket, seconds: float = 1.0) -> None:
    """Close so that the client still reads the answer: unread input would turn the close into a reset."""
    try:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(seconds)
        for _ in range(256):
            if not connection.recv(PIECE_BYTES):
                return
    except OSError:
        return
