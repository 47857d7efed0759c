"""A small Kinesis Video Streams on a real socket: GetDataEndpoint, PutMedia, and a temper on demand."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sightline_media import Ack, Fragment, FragmentReader, check_fragment, encode_ack
from sightline_media.acks import BUFFERING, PERSISTED, RECEIVED

Behaviour = Callable[["PutMediaRequest", Fragment], list[Ack]]


class DropConnectionError(Exception):
    """The behaviour wants the connection cut, hard."""


def acknowledge(_request: "PutMediaRequest", fragment: Fragment) -> list[Ack]:
    number = str(1000 + fragment.timecode_ms)
    return [Ack(step, fragment.timecode_ms, number) for step in (BUFFERING, RECEIVED, PERSISTED)]


@dataclass
class PutMediaRequest:
    """What one PutMedia request brought."""

    index: int
    headers: dict[str, str]
    fragments: list[Fragment] = field(default_factory=list)
    is_complete: bool = False


@dataclass
class FakeKvs:
    behaviour: Behaviour = acknowledge
    refuse: Callable[[int], tuple[int, str, str] | None] = lambda _index: None
    requests: list[PutMediaRequest] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    control_url: str = ""
    media_url: str = ""

    def timecodes(self) -> list[list[int]]:
        return [[fragment.timecode_ms for fragment in request.fragments] for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kvs: FakeKvs

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        if self.path == "/getDataEndpoint":
            self.kvs.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            return self._answer(200, {"DataEndpoint": self.kvs.media_url})
        assert self.path == "/putMedia"
        refusal = self.kvs.refuse(len(self.kvs.requests))
        request = PutMediaRequest(len(self.kvs.requests), {k.lower(): v for k, v in self.headers.items()})
        self.kvs.requests.append(request)
        if refusal:
            self.close_connection = True
            return self._answer(refusal[0], {"Message": refusal[2]}, {"x-amz-ErrorType": refusal[1]})
        try:
            return self._put_media(request)
        except DropConnectionError:
            # No FIN but an RST, as a middlebox does it.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return None

    def _answer(self, status: int, body: dict[str, str], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _put_media(self, request: PutMediaRequest) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        reader, previous = FragmentReader(single_segment=True), None
        for chunk in self._chunks():
            for fragment in reader.feed(chunk):
                check_fragment(fragment, previous)
                previous = fragment
                acks = self.kvs.behaviour(request, fragment)
                request.fragments.append(fragment)
                self._send_chunk(b"".join(encode_ack(ack) for ack in acks))
        assert not reader.truncated
        request.is_complete = True
        self.wfile.write(b"0\r\n\r\n")

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send_chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A connection that the camera closed is nothing to print."""


@contextmanager
def serving(kvs: FakeKvs, tls: ssl.SSLContext | None = None) -> Iterator[FakeKvs]:
    """Serve the control plane over http, the media over http or, with a TLS context, https."""
    handler = type("Handler", (_Handler,), {"kvs": kvs})
    control, media = _Server(("127.0.0.1", 0), handler), _Server(("127.0.0.1", 0), handler)
    if tls:
        media.socket = tls.wrap_socket(media.socket, server_side=True)
    kvs.control_url = f"http://127.0.0.1:{control.server_port}"
    kvs.media_url = f"{'https' if tls else 'http'}://127.0.0.1:{media.server_port}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in (control, media)]
    for thread in threads:
        thread.start()
    try:
        yield kvs
    finally:
        for server, thread in zip((control, media), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
