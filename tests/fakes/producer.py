"""A producer that says what it is told to say, right or wrong, over a plain socket."""

import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sightline_media import Ack, AckReader

SCOPE = "20260101/us-east-1/kinesisvideo/aws4_request"
SIGNED = f"AWS4-HMAC-SHA256 Credential={{key}}/{SCOPE}, SignedHeaders=host, Signature=0"


class Producer:
    """One PutMedia request; a header given as None is left out."""

    def __init__(
        self, url: str, stream: str, headers: Mapping[str, str | None] | None = None, *, key: str = "local"
    ) -> None:
        sent: dict[str, str | None] = {
            "Host": "media",
            "Authorization": SIGNED.format(key=key),
            "Transfer-Encoding": "chunked",
            "x-amzn-stream-name": stream,
            "x-amzn-fragment-timecode-type": "RELATIVE",
            "x-amzn-producer-start-timestamp": f"{time.time():.3f}",
        }
        sent |= headers or {}
        lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self._socket.sendall("\r\n".join(["POST /putMedia HTTP/1.1", *lines, "", ""]).encode())
        self._file = self._socket.makefile("rb")
        self._reader = AckReader()
        self.acks: list[Ack] = []
        self.headers: dict[str, str] = {}
        self.status = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self._socket.sendall(b"0\r\n\r\n")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def head(self) -> int:
        """Read status and headers."""
        if not self.status:
            self.status = int(self._file.readline().split()[1])
            while line := self._file.readline().strip():
                name, _, value = line.decode().partition(": ")
                self.headers[name.lower()] = value
        return self.status

    def wait_for(self, event_type: str, count: int = 1) -> list[Ack]:
        """Read until so many acknowledgements of the type came."""
        self.head()
        while len(self.of(event_type)) < count:
            assert self._read_chunk(), f"the answer ended with {self.acks}"
        return self.of(event_type)

    def rest(self) -> list[Ack]:
        """Read to the end of the answer; every acknowledgement."""
        self.head()
        while self._read_chunk():
            pass
        return self.acks

    def body(self) -> bytes:
        """Of an answer that is not chunked."""
        self.head()
        return self._file.read(int(self.headers["content-length"]))

    def of(self, event_type: str) -> list[Ack]:
        return [ack for ack in self.acks if ack.event_type == event_type]

    def _read_chunk(self) -> bool:
        size = int(self._file.readline() or b"0", 16)
        self.acks += self._reader.feed(self._file.read(size))
        self._file.readline()
        return size > 0
