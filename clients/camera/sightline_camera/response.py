"""An HTTP/1.1 response out of bytes that are cut anywhere: http.client would block while we must send."""

from enum import Enum, auto
from http.client import parse_headers
from io import BytesIO

from sightline_camera.errors import LostConnectionError

_MAX_HEAD_BYTES = 65_536


class _State(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    UNTIL_CLOSE = auto()
    ENDED = auto()


class ResponseReader:
    """`status` is None until the head is complete; header names are in lower case."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self._state = _State.HEAD
        self._buffer = bytearray()
        self._left = 0

    @property
    def ended(self) -> bool:
        return self._state is _State.ENDED

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the body that these bytes carry."""
        self._buffer += data
        body = bytearray()
        while self._step(body):
            pass
        return bytes(body)

    def close(self) -> None:
        """The server closed the connection."""
        if self._state is not _State.UNTIL_CLOSE and not self.ended:
            raise LostConnectionError("the server closed the connection")
        self._state = _State.ENDED

    def _step(self, body: bytearray) -> bool:
        match self._state:
            case _State.HEAD:
                return self._read_head()
            case _State.LENGTH | _State.CHUNK:
                return self._read_counted(body)
            case _State.UNTIL_CLOSE:
                body += self._take(len(self._buffer))
                return False
            case _State.ENDED:
                return False
            case _:
                return self._read_framing_line()

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD_BYTES:
                raise LostConnectionError("the server does not answer in HTTP")
            return False
        first, _, rest = self._take(end + 4).partition(b"\r\n")
        words = first.split(b" ", 2)
        if not words[0].startswith(b"HTTP/1.") or len(words) < 2 or not words[1].isdigit():
            raise LostConnectionError("the server does not answer in HTTP")
        if words[1].startswith(b"1"):  # 100 Continue and its like: the answer is still to come
            return True
        self.status = int(words[1])
        self.headers = {name.lower(): value for name, value in parse_headers(BytesIO(rest)).items()}
        self._state = self._body_state()
        return True

    def _body_state(self) -> _State:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return _State.CHUNK_SIZE
        length = self.headers.get("content-length")
        if length is None or not length.isdigit():
            return _State.UNTIL_CLOSE
        self._left = int(length)
        return _State.LENGTH if self._left else _State.ENDED

    def _read_counted(self, body: bytearray) -> bool:
        taken = self._take(min(self._left, len(self._buffer)))
        body += taken
        self._left -= len(taken)
        if self._left:
            return False
        self._state = _State.CHUNK_END if self._state is _State.CHUNK else _State.ENDED
        return True

    def _read_framing_line(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = self._take(end + 2)[:-2]
        if self._state is _State.CHUNK_END:
            self._state = _State.CHUNK_SIZE
        elif self._state is _State.TRAILER:
            self._state = _State.TRAILER if line else _State.ENDED
        else:
            self._left = _chunk_size(line)
            self._state = _State.CHUNK if self._left else _State.TRAILER
        return True

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise LostConnectionError("the server does not answer in HTTP") from None
