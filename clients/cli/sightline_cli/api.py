"""The HTTP API as a caller with a token sees it; every refusal becomes one line."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import urllib3

from sightline_cli.errors import CliError

TIMEOUT = urllib3.Timeout(connect=5, read=60)


class ApiError(CliError):
    """A problem document (RFC 9457) of the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiClient:
    """Speaks JSON with one API; asks for a new token when the old one is refused."""

    def __init__(self, url: str, new_token: Callable[[], str], http: Any = None) -> None:
        self._url = url.rstrip("/")
        self._new_token = new_token
        self._token: str | None = None
        # No automatic retries: a POST is repeated by whoever knows that it may be.
        self._http = http or urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.request("POST", path, body)

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path)

    def device(self, device_id: str) -> dict[str, Any]:
        """Read a device; one that does not exist is an error that says how to register it."""
        try:
            device: dict[str, Any] = self.get(f"/devices/{quote(device_id, safe='')}")
        except ApiError as error:
            if error.status == 404:
                line = f"no device {device_id!r} here: register it with POST /devices"
                raise ApiError(404, line) from error
            raise
        return device

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.answer(method, path, body)[1]

    def answer(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """The status too, for those to whom 201 and 200 are not the same."""
        response = self._send(method, path, body)
        if response.status == 401:
            self._token = None
            response = self._send(method, path, body)
        if response.status >= 400:
            raise ApiError(response.status, problem_line(response.status, response.data))
        return response.status, json.loads(response.data) if response.data else None

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        self._token = self._token or self._new_token()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body).encode()
        try:
            return self._http.request(method, self._url + path, body=payload, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise CliError(f"the API at {self._url} does not answer ({type(error).__name__})") from error


def problem_line(status: int, data: bytes) -> str:
    """Make one line of a problem document, or of whatever came in its place."""
    try:
        problem = json.loads(data)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return f"the API answered {status}"
    said = [problem.get(key) for key in ("detail", "title", "message")]
    text = str(next(filter(None, said), f"the API answered {status}"))
    fields = [item for item in problem.get("errors") or [] if isinstance(item, dict)]
    wrong = [f"{item.get('field')} {item.get('message')}" for item in fields]
    return f"{text} ({'; '.join(wrong)})" if wrong else text
