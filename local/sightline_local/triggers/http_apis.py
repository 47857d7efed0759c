"""The HTTP APIs of a stack, each on a port of its own."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from sightline_local.cloud.cognito import TokenKeys
from sightline_local.functions.invoker import Functions
from sightline_local.ports import listening
from sightline_local.triggers.http_api import HttpApiServer, serve_http_api


class HttpApis:
    """They answer from `begin` on, the first one on the port that was asked for."""

    def __init__(self, functions: Functions, keys: TokenKeys, port: int, closing: ExitStack) -> None:
        self._functions = functions
        self._keys = keys
        self._port = port
        self._closing = closing
        self._waiting: dict[str, Mapping[str, Any]] = {}
        self.servers: dict[str, HttpApiServer] = {}

    def serve(self, api_id: str, openapi: Mapping[str, Any]) -> None:
        self._waiting[api_id] = openapi

    def begin(self) -> None:
        while self._waiting:
            api_id = next(iter(self._waiting))
            self._begin(api_id, self._waiting.pop(api_id))

    def _begin(self, api_id: str, openapi: Mapping[str, Any]) -> None:
        port = 0 if self.servers else self._port
        server = listening(
            port,
            "--port",
            lambda: serve_http_api(openapi, self._functions, self._keys.jwks, port, api_id=api_id),
        )
        self._closing.callback(server.close)
        self.servers[api_id] = server
