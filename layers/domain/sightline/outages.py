"""For reactions to a stream: whatever AWS refuses, the record is not lost, it is delivered again."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from sightline.aws import error_code
from sightline.errors import UnavailableError


@contextmanager
def any_failure_means_later(name: str) -> Iterator[None]:
    """Every failed call to the service `name` becomes UnavailableError.

    Unlike an HTTP door, a stream consumer has nobody to tell that a topic is gone or a key disabled: the same
    record comes again until somebody has repaired it, so here "denied" means what "busy" means.
    """
    try:
        yield
    except ClientError as error:
        raise UnavailableError(f"{name} refused: {error_code(error)}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"{name} cannot be reached: {type(error).__name__}") from error
