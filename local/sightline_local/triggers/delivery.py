"""Delivering one batch, in order, until every record is delivered or given up.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html

Three things shrink a failed batch. A partial response cuts it at the lowest failed record: what lies before
is done. With bisect the rest is tried again at once, without one it is a retry. A batch that failed from
its first record on is halved (bisect) or tried again. Splitting uses up no retry; AWS does not say how it
halves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sightline_local.triggers.mapping import UNLIMITED, MappingSettings
from sightline_local.triggers.records import StreamRecord

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0

Records = tuple[StreamRecord, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation; `failed_at`: index of the lowest failed record, None when all went well."""

    failed_at: int | None
    function_error: bool = False
    invoked: bool = True  # False: the function could not even be called, which counts as no attempt


@dataclass(frozen=True, slots=True)
class Attempted:
    """A part of a batch, and what was tried with it."""

    records: Records
    retries: int = 0
    invocations: int = 0
    last: Outcome = Outcome(None)


class Carrier(Protocol):
    """What delivering needs from outside."""

    def invoke(self, records: Sequence[StreamRecord]) -> Outcome: ...
    def give_up(self, part: Attempted, condition: str) -> None: ...
    def pause(self, seconds: float) -> bool:
        """Wait; True when the delivery is to stop."""
        ...

    def now(self) -> float: ...


class Delivery:
    """One batch on its way."""

    def __init__(self, settings: MappingSettings, retention_seconds: int, carrier: Carrier) -> None:
        self._settings = settings
        self._carrier = carrier
        age = settings.max_age_seconds
        self._max_age = retention_seconds if age == UNLIMITED else min(age, retention_seconds)
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    def deliver(self, records: Sequence[StreamRecord], checkpoint: Callable[[int], None]) -> bool:
        """Tell `checkpoint` how far everything is done; False when stopped on the way."""
        parts = [Attempted(tuple(records))]
        while parts:
            part = self._without_expired(parts.pop())
            if part is None:
                continue
            outcome = self._carrier.invoke(part.records)
            following, waits = self._after(part, outcome)
            parts.extend(reversed(following))
            if parts:
                checkpoint(parts[-1].records[0].sequence - 1)
            if waits and self._pause():
                return False
        checkpoint(records[-1].sequence)
        return True

    def _after(self, part: Attempted, outcome: Outcome) -> tuple[list[Attempted], bool]:
        """The parts that are still to be delivered, in order; and whether to wait before the next attempt."""
        if not outcome.invoked:
            return [part], True
        part = replace(part, invocations=part.invocations + 1, last=outcome)
        made_progress = outcome.failed_at != 0
        if made_progress:
            self._pause_seconds = _FIRST_PAUSE_SECONDS
        if outcome.failed_at is None:
            return [], False
        rest = replace(part, records=part.records[outcome.failed_at :], retries=0) if made_progress else part
        if self._settings.bisects and made_progress:
            return [rest], False
        if self._settings.bisects and len(rest.records) > 1:
            return _halves(rest), False
        if self._settings.max_retries != UNLIMITED and rest.retries >= self._settings.max_retries:
            self._carrier.give_up(rest, RETRIES_EXHAUSTED)
            return [], False
        return [replace(rest, retries=rest.retries + 1)], True

    def _pause(self) -> bool:
        seconds = self._pause_seconds
        self._pause_seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
        return self._carrier.pause(seconds)

    def _without_expired(self, part: Attempted) -> Attempted | None:
        oldest_allowed = self._carrier.now() - self._max_age
        fresh = tuple(record for record in part.records if record.arrived_at >= oldest_allowed)
        if len(fresh) == len(part.records):
            return part
        expired = tuple(record for record in part.records if record.arrived_at < oldest_allowed)
        self._carrier.give_up(replace(part, records=expired), TOO_OLD)
        return replace(part, records=fresh) if fresh else None


def _halves(part: Attempted) -> list[Attempted]:
    middle = (len(part.records) + 1) // 2
    return [replace(part, records=part.records[:middle]), replace(part, records=part.records[middle:])]
