"""A threaded server for a WSGI application on the loopback: HTTP/1.1, and HTTP/2 with prior knowledge.

werkzeug reads the request; its own way of answering closes every connection and lingers 10 ms, so ours is
here: kept connections, no delays.
"""

import io
import socket
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer

from sightline_local.cloud import http2

HOST = "127.0.0.1"
_DRAIN_LIMIT = 1 << 20
_WITHOUT_BODY = (204, 304)


class _Body(io.RawIOBase):
    """The body of one request: it ends where Content-Length says, whatever follows on the connection."""

    def __init__(self, source: Any, length: int) -> None:
        self._source = source
        self.left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read1(min(len(buffer), self.left)) if self.left else b""
        buffer[: len(data)] = data
        self.left -= len(data)
        return len(data)


class _Handler(MotoRequestHandler):
    """One connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    server: "_Server"  # type: ignore[assignment]  # werkzeug's own server class knows nothing of HTTP/2

    def parse_request(self) -> bool:
        if self.raw_requestline != http2.PREFACE_LINE:
            return bool(super().parse_request())
        self.close_connection = True
        self.server.speak_http2(self.connection, self.rfile)
        return False

    def handle_expect_100(self) -> bool:
        go_on = bool(super().handle_expect_100())
        self.wfile.flush()
        return go_on

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        chunked = bool(environ.get("wsgi.input_terminated"))
        body = _Body(self.rfile, 0 if chunked else int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = DechunkedInput(self.rfile) if chunked else io.BufferedReader(body)
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Any:
            head[:] = [status, headers]
            return None

        parts = self.server.app(environ, start_response)
        cancel = getattr(parts, "cancel", None)  # an answer that lasts has one
        if cancel:
            self.server.lasting.add(cancel)
        try:
            # What the application left unread would be taken for the next request.
            if (chunked and not self._drained(environ["wsgi.input"])) or body.left > _DRAIN_LIMIT:
                self.close_connection = True
            self._answer(head[0], head[1], parts)
            while body.left and not self.close_connection and body.read(body.left):
                pass
        finally:
            self.server.lasting.discard(cancel)
            if hasattr(parts, "close"):
                parts.close()

    def finish(self) -> None:
        with suppress(OSError):  # what is left to be written, when the client has gone
            super().finish()
        self.rfile.close()

    def _drained(self, source: Any) -> bool:
        with suppress(OSError):
            return not source.read(_DRAIN_LIMIT) or not source.read(1)
        return False

    def _answer(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        bodiless = self.command == "HEAD" or int(code) in _WITHOUT_BODY
        known_length = any(name.lower() == "content-length" for name, _ in headers)
        if not known_length and isinstance(parts, list | tuple):
            parts = [b"".join(parts)]
            headers = [*headers, ("Content-Length", str(len(parts[0])))]
            known_length = True
        self.send_response_only(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("connection", "server"):
                self.send_header(name, value)
        if not known_length and not bodiless:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless:
            self._write(parts, chunked=not known_length)
        self.wfile.flush()

    def _write(self, parts: Iterable[bytes], *, chunked: bool) -> None:
        for part in parts:
            if chunked and part:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            else:
                self.wfile.write(part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log(self, *args: Any, **kwargs: Any) -> None: ...


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that closing the server ends them too."""

    def __init__(self, listening: socket.socket, app: Any) -> None:
        self._open: set[socket.socket] = set()
        self.lasting: set[Any] = set()  # what ends the answers of HTTP/1.1 that go on and on
        self._http2: dict[socket.socket, http2.Connection] = {}
        self._lock = Lock()
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, app, handler=_Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def speak_http2(self, connection: socket.socket, source: Any) -> None:
        """Until the client goes."""
        speaking = http2.Connection(
            connection, self.app, connection.getsockname()[:2], connection.getpeername()[:2]
        )
        with self._lock:
            self._http2[connection] = speaking
        try:
            speaking.serve(http2.PREFACE_LINE, source)
        finally:
            with self._lock:
                del self._http2[connection]

    def end_connections(self) -> None:
        for cancel in list(self.lasting):
            cancel()
        with self._lock:
            for connection in self._open:
                if speaking := self._http2.get(connection):
                    speaking.close()
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; the application itself answers whatever goes wrong."""


class HttpServer:
    """Serves until `close()`. Port 0 takes any free one; a port in use raises OSError."""

    def __init__(self, app: Any, port: int) -> None:
        listening = socket.create_server((HOST, port), backlog=128)
        self._server = _Server(listening, app)  # it duplicates the descriptor
        listening.close()
        self.port: int = self._server.port
        self.url = f"http://{HOST}:{self.port}"
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.1,), name=f"http-{self.port}", daemon=True
        )
        self._thread.start()
        self._closed = False

    def close(self) -> None:
        """End every connection and free the port; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
