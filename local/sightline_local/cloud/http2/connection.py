"""One HTTP/2 connection: a thread reads it, every stream has a thread of its own for its answer."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, BinaryIO

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from werkzeug.exceptions import ClientDisconnected

from sightline_local.cloud.http2.request import Address, Body, environ_of

PREFACE_LINE = b"PRI * HTTP/2.0\r\n"
_STREAMS = 1000
_STREAM_WINDOW = 1 << 20
_CONNECTION_WINDOW = 64 * _STREAM_WINDOW  # so many bodies may wait to be read before they hold up others
_DEFAULT_WINDOW = 65_535
_FRAME = 1 << 18
_BACKLOG = 1 << 20
_READ = 1 << 18
_SETTINGS = {
    SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS,
    SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
    SettingCodes.MAX_FRAME_SIZE: _FRAME,
    SettingCodes.MAX_HEADER_LIST_SIZE: H2Connection.DEFAULT_MAX_HEADER_LIST_SIZE,
}
_WITHOUT_BODY = (204, 304)
_OF_A_CONNECTION = ("connection", "keep-alive", "proxy-connection", "server", "transfer-encoding", "upgrade")


class _Gone(Exception):  # noqa: N818  what happened
    """Nobody waits for the answer any more."""


@dataclass(slots=True, eq=False)
class _Stream:
    number: int
    environ: dict[str, Any]
    body: Body
    gone: bool = False
    ended: bool = False
    answer: Any = None
    head: list[Any] = field(default_factory=list)

    def leave(self) -> None:
        """The client waits no longer."""
        self.gone = True
        self.body.break_off()

    def cancel(self) -> None:
        """An answer that lasts can be told that nobody listens: it has a method `cancel`."""
        if cancel := getattr(self.answer, "cancel", None):
            cancel()


class Connection:
    """Serves `app` until the client goes, or `close()`.

    `_changed` guards everything; sending is one thread's at a time, and takes along what others leave.
    """

    def __init__(self, connection: socket.socket, app: Any, server: Address, client: Address) -> None:
        self._socket, self._app = connection, app
        self._server, self._client = server, client
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._changed = Condition()
        self._streams: dict[int, _Stream] = {}
        self._sending = self._over = False
        self._backlog = 0

    def serve(self, first: bytes, source: BinaryIO) -> None:
        """`first` was read from the source already."""
        self._begin()
        data = first
        try:
            while data and self._take(data):
                data = source.read1(_READ)  # type: ignore[attr-defined]
        except OSError:
            pass  # the client has gone
        finally:
            self._end()

    def close(self) -> None:
        """Say goodbye if that needs no waiting; the socket is the server's to close."""
        with self._changed:
            if self._over or self._sending:
                return
            with suppress(ProtocolError, OSError):
                self._h2.close_connection()
                self._socket.send(self._h2.data_to_send(), socket.MSG_DONTWAIT)

    # ------------------------------------------------------------------ what comes in

    def _begin(self) -> None:
        with self._changed:
            self._h2.local_settings = Settings(client=False, initial_values=_SETTINGS)
            self._h2.max_inbound_frame_size = _FRAME
            self._h2.initiate_connection()
            self._h2.increment_flow_control_window(_CONNECTION_WINDOW - _DEFAULT_WINDOW)
        self._flush()

    def _take(self, data: bytes) -> bool:
        """False when nothing more is to be said; to a client that breaks the protocol h2 says GOAWAY."""
        gone: list[_Stream] = []
        with self._changed:
            try:
                happened = self._h2.receive_data(data)
            except ProtocolError:
                happened, gone = None, list(self._streams.values())
            for event in happened or ():
                self._note(event, gone)
            for stream in gone:
                stream.leave()
            self._changed.notify_all()
        for stream in gone:
            stream.cancel()
        self._flush()
        return happened is not None

    def _note(self, event: events.Event, gone: list[_Stream]) -> None:
        match event:
            case events.RequestReceived():
                self._start(event)
            case events.DataReceived():
                self._take_body(event)
            case events.StreamEnded() if stream := self._streams.get(event.stream_id or 0):
                stream.body.complete()
            case events.StreamReset() if stream := self._streams.get(event.stream_id or 0):
                gone.append(stream)
            case events.ConnectionTerminated():  # h2 sends nothing from here on
                gone += self._streams.values()

    def _start(self, event: events.RequestReceived) -> None:
        number = int(event.stream_id or 0)
        environ = environ_of(event.headers or (), self._server, self._client)  # type: ignore[arg-type]
        body = Body(self._changed, lambda count: self._acknowledge(number, count))
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self._h2.send_headers(number, [(":status", "100")])
        environ["wsgi.input"] = body
        stream = self._streams[number] = _Stream(number, environ, body)
        Thread(target=self._answer, args=(stream,), name=f"http2-{number}", daemon=True).start()

    def _take_body(self, event: events.DataReceived) -> None:
        number, count = int(event.stream_id or 0), int(event.flow_controlled_length or 0)
        if stream := self._streams.get(number):
            stream.body.take(event.data or b"", count)
        elif count:  # answered already: what still comes is for nobody
            self._h2.acknowledge_received_data(count, number)

    def _acknowledge(self, number: int, count: int) -> None:
        with self._changed, suppress(ProtocolError):
            self._h2.acknowledge_received_data(count, number)
        self._flush()

    def _end(self) -> None:
        with self._changed:
            self._over = True
            left = list(self._streams.values())
            for stream in left:
                stream.leave()
            self._changed.notify_all()
        for stream in left:
            stream.cancel()

    # ------------------------------------------------------------------ what goes out

    def _answer(self, stream: _Stream) -> None:
        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Any:
            stream.head[:] = [status.partition(" ")[0], headers]
            return None

        try:
            parts = stream.answer = self._app(stream.environ, start_response)
            if stream.gone:
                stream.cancel()
            try:
                self._send_answer(stream, parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except (_Gone, ClientDisconnected, OSError):
            pass
        finally:
            self._finish(stream)

    def _send_answer(self, stream: _Stream, parts: Iterable[bytes]) -> None:
        status, given = stream.head
        headers = [(":status", status)]
        headers += [(n.lower(), v) for n, v in given if n.lower() not in _OF_A_CONNECTION]
        bodiless = stream.environ["REQUEST_METHOD"] == "HEAD" or int(status) in _WITHOUT_BODY
        whole = b"".join(parts) if isinstance(parts, list | tuple) else None
        with self._changed:
            self._still_wanted(stream)
            self._h2.send_headers(stream.number, headers, end_stream=bodiless)
            stream.ended = bodiless
        if bodiless or whole is None:
            self._flush()
        if not bodiless:
            for part in parts if whole is None else ():
                self._send(stream, part, last=False)
            self._send(stream, whole or b"", last=True)

    def _send(self, stream: _Stream, data: bytes, *, last: bool) -> None:
        sent = 0
        while sent < len(data):
            with self._changed:
                end = sent + self._room(stream, len(data) - sent)
                self._frames(stream, data[sent:end])
                if last and end == len(data):
                    self._end_stream(stream)
            self._flush()
            sent = end
        if last and not data:
            with self._changed:
                self._still_wanted(stream)
                self._end_stream(stream)
            self._flush()

    def _room(self, stream: _Stream, wanted: int) -> int:
        """How many bytes the client takes now, one at the least: it waits until there is room."""
        while True:
            self._still_wanted(stream)
            room = min(wanted, self._h2.local_flow_control_window(stream.number), _BACKLOG - self._backlog)
            if room > 0:
                return room
            self._changed.wait()

    def _frames(self, stream: _Stream, data: bytes) -> None:
        size = self._h2.max_outbound_frame_size
        for at in range(0, len(data), size):
            self._h2.send_data(stream.number, data[at : at + size])
        self._backlog += len(data)

    def _end_stream(self, stream: _Stream) -> None:
        self._h2.end_stream(stream.number)
        stream.ended = True

    def _still_wanted(self, stream: _Stream) -> None:
        if stream.gone or self._over:
            raise _Gone

    def _finish(self, stream: _Stream) -> None:
        """An application that failed resets its stream: no half answer passes for a whole one."""
        with self._changed:
            unread = stream.body.left_unread()
            del self._streams[stream.number]
            with suppress(ProtocolError):
                if unread:
                    self._h2.acknowledge_received_data(unread, stream.number)
                if not stream.ended:
                    self._h2.reset_stream(stream.number, ErrorCodes.INTERNAL_ERROR)
        self._flush()

    def _flush(self) -> None:
        with self._changed:
            if self._sending:
                return  # whoever sends looks again before it stops
            self._sending = True
        while data := self._to_send():
            try:
                self._socket.sendall(data)
            except OSError:
                self._end()
                return

    def _to_send(self) -> bytes:
        with self._changed:
            data = bytes(self._h2.data_to_send())
            if not data or self._over:
                self._sending = False
                return b""
            self._backlog = 0
            self._changed.notify_all()
            return data
