"""How every function talks to AWS: short timeouts, few retries, and one meaning of "come back later"."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004  botocore's name

from sightline.errors import UnavailableError

# What AWS answers when it is busy rather than when we are wrong; the names differ from service to service.
BUSY_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerErrorException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def client(service: str, **settings: Any) -> Any:
    """A boto3 client whose retries end well before a 30 second function does; `settings` go to its Config."""
    retries: Any = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=2, read_timeout=6, retries=retries, tcp_keepalive=True, **settings)
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def busy_means_unavailable(name: str) -> Iterator[None]:
    """Throttling, 5xx and network trouble of the service `name` become UnavailableError; all else passes."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error_code(error) not in BUSY_CODES and status < 500:
            raise
        raise UnavailableError(f"{name} is busy; try again in a moment.") from error
    except (ConnectionError, HTTPClientError) as error:
        raise UnavailableError(f"{name} cannot be reached; try again in a moment.") from error


def write_if(call: Any, **arguments: Any) -> bool:
    """Make a conditional write to DynamoDB; False when its condition does not hold."""
    try:
        with busy_means_unavailable("DynamoDB"):
            call(**arguments)
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True
