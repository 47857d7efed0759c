"""Ports of this machine: taken, or refused in one line that names the option."""

import socket
from collections.abc import Callable
from typing import TypeVar

from sightline_local.errors import PortInUseError

T = TypeVar("T")


def check_free(port: int, option: str) -> None:
    """PortInUseError when another program listens there; 0 is always free."""
    if port:
        listening(port, option, lambda: socket.create_server(("127.0.0.1", port))).close()


def listening(port: int, option: str, listen: Callable[[], T]) -> T:
    """What `listen` returns; PortInUseError when it cannot."""
    try:
        return listen()
    except OSError as error:
        raise PortInUseError(port, option) from error
