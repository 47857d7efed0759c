"""Every error of the domain, and what a caller does with it.

DomainError
├── NotFoundError        there is no such thing                 HTTP 404
├── ConflictError        not now: something else is under way   HTTP 409
├── RejectedError        the request itself is wrong            HTTP 400
│   └── TooLargeError    … because it is too big                HTTP 413
└── UnavailableError     a service we need cannot answer now    HTTP 503, try again
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its dotted path in the request (`location.latitude`), and one sentence about it."""

    field: str
    message: str


class DomainError(Exception):
    """One sentence for the person who asked."""

    def __init__(self, detail: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class NotFoundError(DomainError):
    """There is no such thing."""


class ConflictError(DomainError):
    """The state of the thing does not allow it now."""


class RejectedError(DomainError):
    """The request is wrong, and will be wrong again."""

    def __init__(self, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)


class TooLargeError(RejectedError):
    """The request is bigger than AWS or we accept."""


class UnavailableError(DomainError):
    """A service we need is throttling or down; the same request may succeed in a moment."""

    def __init__(self, detail: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
