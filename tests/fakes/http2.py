"""An HTTP/2 client for tests: one connection that does what it is told, frame by frame."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection

_PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class Answer:
    """What has come of one stream so far."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    reset: int | None = None


class Http2Client:
    """`acknowledges` off leaves the windows as they are: the server may send what they hold and no more."""

    def __init__(self, port: int, *, acknowledges: bool = True, piecewise: bool = False) -> None:
        self.acknowledges = acknowledges
        self.answers: dict[int, Answer] = {}
        self.goodbye: int | None = None  # the error code of a GOAWAY
        self.pings: list[bytes] = []
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.h2.initiate_connection()
        first = self.h2.data_to_send()
        for piece in [first[at : at + 1] for at in range(len(first))] if piecewise else [first]:
            self.socket.sendall(piece)

    def ask(self, path: str = "/", *, method: str = "GET", body: bytes | None = None, **headers: str) -> int:
        """Send a request; return its stream."""
        number = self.open(path, method=method, ends=body is None, **headers)
        if body is not None:
            self.send(number, body)
        return number

    def open(self, path: str = "/", *, method: str = "POST", ends: bool = False, **headers: str) -> int:
        number = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":path", path), (":scheme", "http"), (":authority", "here")]
        head += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(number, head, end_stream=ends)
        self.answers[number] = Answer()
        self.flush()
        return number

    def send(self, number: int, body: bytes, *, ends: bool = True) -> None:
        """As fast as the server's windows allow."""
        at = 0
        while at < len(body):
            self.until(lambda: self.h2.local_flow_control_window(number) > 0)
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size)
            self.h2.send_data(number, body[at : at + room])
            at += room
            self.flush()
        if ends:
            self.h2.end_stream(number)
            self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def answer(self, number: int) -> Answer:
        """The whole answer of a stream, or what there is when it is reset."""
        found = self.answers[number]
        self.until(lambda: found.is_whole or found.reset is not None)
        return found

    def until(self, is_true: Callable[[], object]) -> None:
        """Take in what comes until it is true; TimeoutError after ten seconds."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while not is_true():
            self.take(end - time.monotonic())

    def take(self, seconds: float) -> None:
        """Take in what comes next; ConnectionError at the end, TimeoutError when nothing comes."""
        self.socket.settimeout(max(0.001, seconds))
        data = self.socket.recv(1 << 16)
        for event in self.h2.receive_data(data):
            self._note(event)
        self.flush()
        if not data:
            raise ConnectionError("the server has ended the connection")

    def _note(self, event: events.Event) -> None:
        found = self.answers.get(getattr(event, "stream_id", None) or 0)
        match event:
            case events.ResponseReceived() if found:
                found.headers = dict(event.headers or [])  # type: ignore[arg-type]
            case events.DataReceived() if found:
                found.body += event.data or b""
                if self.acknowledges:
                    self.acknowledge(event)
            case events.StreamEnded() if found:
                found.is_whole = True
            case events.StreamReset() if found:
                found.reset = int(event.error_code or 0)
            case events.ConnectionTerminated():
                self.goodbye = int(event.error_code or 0)
            case events.PingAckReceived():
                self.pings.append(event.ping_data or b"")

    def acknowledge(self, event: events.DataReceived) -> None:
        self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)

    def reset(self, number: int) -> None:
        """RST_STREAM: nobody waits for the answer any more."""
        self.h2.reset_stream(number)
        self.flush()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
