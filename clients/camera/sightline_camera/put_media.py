"""One PutMedia request: fragments go, acknowledgements come."""

import json
import time
from collections.abc import Mapping
from typing import Protocol

from sightline_camera.duplex import DuplexPost
from sightline_camera.errors import LostConnectionError, RefusedError
from sightline_media import Ack, AckReader, MediaError

_ERROR_BODY_SECONDS = 5.0


class PutMedia(Protocol):
    """What the producer needs of a connection."""

    @property
    def ended(self) -> bool:
        """Whether the service has ended its answer."""
        ...

    def send(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def acks(self, seconds: float) -> list[Ack]: ...
    def close(self) -> None: ...


class HttpPutMedia:
    """PutMedia over HTTP; RefusedError when the service answers no, LostConnectionError when it is gone."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._reader = AckReader()
        self._post = DuplexPost(url, headers)

    @property
    def ended(self) -> bool:
        return self._post.response.ended

    def send(self, data: bytes) -> None:
        self._post.send(data)
        self._check()

    def end(self) -> None:
        self._post.end()
        self._check()

    def acks(self, seconds: float) -> list[Ack]:
        """Return the acknowledgements of the next moments; empty after `seconds` without any."""
        data = self._post.receive(seconds)
        self._check(data)
        try:
            return self._reader.feed(data)
        except MediaError as error:
            raise LostConnectionError(str(error)) from None

    def close(self) -> None:
        self._post.close()

    def _check(self, body: bytes = b"") -> None:
        response = self._post.response
        if response.status in (None, 200):
            return
        body, deadline = bytes(body), time.monotonic() + _ERROR_BODY_SECONDS
        try:
            while not response.ended and (left := deadline - time.monotonic()) > 0:
                body += self._post.receive(left)
            body += self._post.receive(0)
        except LostConnectionError:
            pass  # the status alone says enough
        raise refusal(response.status or 0, response.headers, body)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> RefusedError:
    """Read an error answer: the name is in a header or in the body, the text under Message or message."""
    try:
        fields = json.loads(body)
    except ValueError:
        fields = {}
    fields = fields if isinstance(fields, dict) else {}
    names = (headers.get("x-amz-errortype"), headers.get("x-amzn-errortype"), fields.get("__type"))
    code = next((str(name) for name in names if name), f"HTTP {status}")
    message = fields.get("Message") or fields.get("message") or ""
    # "ConnectionLimitExceededException:http://…" and "com.amazonaws…#ConnectionLimitExceededException"
    return RefusedError(status, code.split(":")[0].rpartition("#")[2], " ".join(str(message).split()))
