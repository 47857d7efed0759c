"""The fragments that were sent and are not safe yet."""

from dataclasses import dataclass

from sightline_media import Ack, Fragment
from sightline_media.acks import PERSISTED, RECEIVED

# A stream without retention never says PERSISTED; this many received fragments are kept until that is clear.
_RECEIVED_KEPT = 8


@dataclass(slots=True)
class _Sent:
    fragment: Fragment
    at: float
    is_received: bool = False


class Outbox:
    """Keeps what must be sent again on a new connection.

    Safe is a fragment that the service persisted; on a stream that persists nothing, one that it received.
    """

    def __init__(self) -> None:
        self._sent: dict[int, _Sent] = {}
        self._persists = False

    def add(self, fragment: Fragment, at: float) -> None:
        """A fragment was sent at this time (seconds of a monotonic clock)."""
        self._sent[fragment.timecode_ms] = _Sent(fragment, at)
        if not self._persists:
            received = [timecode for timecode, sent in self._sent.items() if sent.is_received]
            for timecode in received[:-_RECEIVED_KEPT]:
                del self._sent[timecode]

    def acknowledge(self, ack: Ack) -> None:
        self._persists = self._persists or ack.event_type == PERSISTED
        sent = None if ack.timecode_ms is None else self._sent.get(ack.timecode_ms)
        if sent and ack.event_type == PERSISTED:
            del self._sent[sent.fragment.timecode_ms]
        elif sent and ack.event_type == RECEIVED:
            sent.is_received = True

    def take_unsafe(self) -> list[Fragment]:
        """Empty the outbox: the connection is gone, and this is what the next one must carry first."""
        unsafe = [sent.fragment for sent in self._sent.values() if self._is_unsafe(sent)]
        self._sent.clear()
        return sorted(unsafe, key=lambda fragment: fragment.timecode_ms)

    @property
    def is_empty(self) -> bool:
        """Whether no acknowledgement can change anything any more."""
        return not self._sent

    @property
    def is_safe(self) -> bool:
        """Whether nothing would have to be sent again."""
        return not any(self._is_unsafe(sent) for sent in self._sent.values())

    @property
    def in_flight(self) -> int:
        """How many fragments the service has not received."""
        return sum(not sent.is_received for sent in self._sent.values())

    def oldest_in_flight(self) -> float | None:
        """When the longest-waiting fragment was sent."""
        return min((sent.at for sent in self._sent.values() if not sent.is_received), default=None)

    def _is_unsafe(self, sent: _Sent) -> bool:
        return self._persists or not sent.is_received
