"""Records of a stream that cannot be read: they are kept aside as they came, and stop nobody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record kept as it came: `reason` says what is wrong with it."""

    stream: str
    sequence_number: str
    payload: bytes
    reason: str
    parked_at: datetime


class ParkedRecords(Protocol):
    def park(self, record: ParkedRecord) -> None:
        """Keep it; parking it again changes nothing. UnavailableError when it cannot be kept now."""
        ...
