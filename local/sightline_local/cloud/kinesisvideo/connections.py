"""How many may be connected to a stream at once: one producer, three readers, as KVS has it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sightline_local.cloud.service import ServiceError

LIMITS = {"PutMedia": 1, "GetMedia": 3, "GetMediaForFragmentList": 5}


class ConnectionSlots:
    def __init__(self) -> None:
        self._taken: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    @contextmanager
    def slot(self, operation: str, stream_arn: str) -> Iterator[None]:
        """Hold one of the stream's connections; ServiceError when all are taken."""
        key = (operation, stream_arn)
        with self._lock:
            if self._taken[key] >= LIMITS[operation]:
                code = (
                    "ClientLimitExceededException"
                    if "List" in operation
                    else "ConnectionLimitExceededException"
                )
                raise ServiceError(
                    code,
                    f"The stream already has {LIMITS[operation]} connections for {operation}, the limit.",
                )
            self._taken[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[key] -= 1
