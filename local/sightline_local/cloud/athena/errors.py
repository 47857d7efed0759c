"""How queries end badly, in the words in which Athena says it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.cloud.service import ServiceError
from sightline_local.iam import TrustDenied, UnknownKey

_SYSTEM, USER = 1, 2  # https://docs.aws.amazon.com/athena/latest/ug/error-reference.html


class QueryFailed(Exception):  # noqa: N818  what happened
    """The query was taken and ended without an answer; `state` is FAILED or CANCELLED."""

    def __init__(self, reason: str, *, state: str = "FAILED", category: int = USER) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state
        self.category = category


def not_emulated(what: str) -> QueryFailed:
    return QueryFailed(f"NOT_SUPPORTED: the local Athena does not know {what}")


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message, AthenaErrorCode="INVALID_INPUT")


@contextmanager
def asking_glue() -> Iterator[None]:
    with _told("Insufficient permissions to execute the query. "):
        yield


@contextmanager
def reading(place: str) -> Iterator[None]:
    try:
        with _told(f"Permission denied on S3 path: {place}. "):
            yield
    except _MissingError as error:
        raise QueryFailed(
            f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {place}: the object is not there any more"
        ) from error


@contextmanager
def writing(url: str) -> Iterator[None]:
    words = f"Access denied when writing output to url: {url}. "
    try:
        with _told(f"{words}Please ensure you are allowed to access the S3 bucket. "):
            yield
    except _MissingError as error:
        raise QueryFailed(f"Unable to write to {url}: {error}") from error


class _MissingError(Exception):
    """What was asked for is not there."""


@contextmanager
def _told(when_denied: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in ("NoSuchKey", "NoSuchBucket", "EntityNotFoundException"):
            raise _MissingError(message) from error
        reason = f"{when_denied}{message}" if code.startswith("AccessDenied") else f"{code}: {message}"
        raise QueryFailed(reason) from error
    except (BotoCoreError, TrustDenied, UnknownKey) as error:
        raise QueryFailed(f"INTERNAL_ERROR: {error}", category=_SYSTEM) from error


@contextmanager
def found_in_catalog(what: str) -> Iterator[None]:
    """`what` says in Athena's words that it is not there."""
    try:
        with asking_glue():
            yield
    except _MissingError as error:
        raise QueryFailed(what) from error


_NO_COLUMN = "Column '{}' cannot be resolved or requester is not authorized to access requested resources"
_MESSAGES = (
    (
        re.compile(r'(?:Referenced|Column|column) (?:column )?"(.+?)" (?:not found|does not|must)'),
        "COLUMN_NOT_FOUND: " + _NO_COLUMN,
    ),
    (
        re.compile(r"Function with name (\S+) does not exist"),
        "FUNCTION_NOT_FOUND: Function '{}' not registered",
    ),
    (
        re.compile(r"Could not convert string ['\"](.*?)['\"] to (\w+)"),
        "INVALID_CAST_ARGUMENT: Cannot cast '{}' to {}",
    ),
    (
        re.compile(r"column \"(.+?)\" must appear in the GROUP BY"),
        "EXPRESSION_NOT_AGGREGATE: '{}' must be an aggregate expression or appear in GROUP BY clause",
    ),
)


def in_athenas_words(message: str) -> str:
    """What DuckDB says."""
    first = message.partition("\n")[0]
    for pattern, words in reversed(_MESSAGES):
        if found := pattern.search(first):
            return words.format(*found.groups())
    return f"GENERIC_USER_ERROR: {first.partition('Error: ')[2] or first}"
