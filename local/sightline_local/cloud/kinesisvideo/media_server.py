"""The HTTP server of the media plane, one thread for each connection, on a port of its own."""

import logging
import socket
import sys
from http.server import ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from sightline_local.cloud.kinesisvideo.media_access import MediaAccess
from sightline_local.cloud.kinesisvideo.media_requests import MediaPlane, MediaRequestHandler
from sightline_local.cloud.kinesisvideo.service import KinesisVideoService
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.iam.authorizer import Authorizer
from sightline_local.iam.sessions import Sessions

_log = logging.getLogger(__name__)

CONNECTION_SECONDS = 45 * 60.0
PRODUCER_IDLE_SECONDS = 30.0


class MediaServer:
    """`port` 0 takes any free one; `url` is known at once, requests are answered after `begin`."""

    def __init__(
        self,
        store: FragmentStore,
        service: KinesisVideoService,
        sessions: Sessions,
        authorizer: Authorizer,
        port: int = 0,
        *,
        connection_seconds: float = CONNECTION_SECONDS,
        idle_seconds: float = PRODUCER_IDLE_SECONDS,
    ) -> None:
        access = MediaAccess(service, sessions, authorizer)
        self._plane = MediaPlane(store, access, connection_seconds, idle_seconds)
        handler = type("Handler", (MediaRequestHandler,), {"plane": self._plane})
        self._http = _HttpServer(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.1,), name="media-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def restore(self) -> list[str]:
        """The store restores itself; cameras wait until the roles are there, too."""
        return []

    def begin(self) -> None:
        self._plane.store.begin()
        self._thread.start()

    def hang_up_all(self) -> None:
        """Break every open connection, as a network may; the server goes on."""
        self._http.hang_up_all()

    def close(self) -> None:
        """End every connection and free the port; to call again does nothing."""
        self._plane.stopping.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.hang_up_all()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it ended by itself meanwhile

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """Only what is our fault is worth a line: clients may hang up whenever they like."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("a request of %s broke", client_address)
