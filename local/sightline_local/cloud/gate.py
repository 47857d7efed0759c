"""Holds requests back while a runtime restores its state: nobody sees, or changes, half of it."""

import secrets
from threading import Event

from sightline_local.cloud.calls import Environ

_LONGEST_WAIT_SECONDS = 60.0
_ANSWERS = "/cloudformation-custom-resource-response"  # bucket of presigned URLs; deploying waits for them


class Gate:
    """Open from the start unless told otherwise; the runtime itself passes by its word in the user agent."""

    def __init__(self) -> None:
        self.word = f"own/{secrets.token_hex(16)}"
        self.is_open = True
        self._opened = Event()
        self._deploying = False

    def close(self) -> None:
        """Only the runtime passes, and who has keys that were lent since it started: its functions."""
        self.is_open, self._deploying = False, True

    def only_the_runtime(self) -> None:
        self._deploying = False

    def open(self) -> None:
        self.is_open = True
        self._opened.set()

    def wait(self, environ: Environ, *, lent: bool) -> None:
        """Return when the request may go on."""
        answers = str(environ.get("PATH_INFO", "")).startswith(_ANSWERS)
        own = self.word in str(environ.get("HTTP_USER_AGENT", ""))
        if not own and not (self._deploying and (lent or answers)):
            self._opened.wait(_LONGEST_WAIT_SECONDS)
