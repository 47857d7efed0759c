"""One lane of one shard of a mapping: read, batch, deliver, go on; asleep while there is nothing to do."""

import logging
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.functions.spec import FunctionNotFound, InvokeResult, TooManyInvocations
from sightline_local.functions.warm_parent import WarmParentGone
from sightline_local.iam import AccessDenied, TrustDenied
from sightline_local.state import FactsNotKeptError
from sightline_local.triggers import on_failure
from sightline_local.triggers.delivery import Attempted, Delivery, Outcome
from sightline_local.triggers.filters import Filters
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.positions import Lane, Positions
from sightline_local.triggers.records import Stream, StreamGone, StreamRecord, event_of
from sightline_local.triggers.responses import WHOLE_BATCH, lowest_failure

_logger = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0  # AWS polls as often; a put through the gateway wakes us at once
_EVENT_LIMIT_BYTES = 6 * 1000 * 1000
_RECORD_OVERHEAD_BYTES = 600
_DESTINATION_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Batch:
    records: list[StreamRecord]
    until: int  # the lane is done up to here once the records are


class MappingState(Protocol):
    """What a worker shares with its mapping."""

    settings: MappingSettings
    last_result: str
    filters: Filters

    def role_arn(self) -> str: ...
    def authorize_reading(self) -> None:
        """Raise AccessDenied when the function's role may not read the stream."""
        ...

    def call_function(self, event: bytes) -> InvokeResult: ...
    def client(self, service: str) -> object: ...
    def shard_ended(self) -> None:
        """A worker is through with a shard that was closed: its children's turn may have come."""
        ...


class ShardWorker:
    """A thread per lane: one that is stuck holds up no other."""

    def __init__(
        self, mapping: MappingState, stream: Stream, positions: Positions, lane: Lane, position: int
    ) -> None:
        self._mapping = mapping
        self._stream = stream
        self._positions = positions
        self._lane = lane
        self._position = position  # everything up to this sequence number is done
        self._wake = Event()
        self._stop = Event()
        self.thread = Thread(target=self._run, name=f"mapping-{lane.shard_id}", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end; an invocation under way ends by itself."""
        self._stop.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if not self._go_on():
                    return
                continue
            except (StreamGone, AccessDenied, TrustDenied, FunctionNotFound) as problem:
                self._mapping.last_result = f"PROBLEM: {problem}"
            except Exception:  # a mistake of ours must not end the lane for good
                _logger.exception("%s of %s", self._lane.shard_id, self._stream.arn)
            self._wake.wait(_IDLE_SECONDS)

    def _go_on(self) -> bool:
        """Deliver a batch, or wait for one; False when there is nothing more to be done."""
        batch = self._next_batch()
        if batch.records:
            delivery = Delivery(self._mapping.settings, self._stream.retention_seconds(), self)
            if not delivery.deliver(batch.records, self._done_until):
                return False
        if batch.until > self._position:
            self._done_until(batch.until)
        elif not batch.records and self._is_through():
            self._mapping.shard_ended()
            return False
        elif not batch.records:
            self._wake.wait(_IDLE_SECONDS)
        return True

    def _is_through(self) -> bool:
        """Whether the shard was closed and has nothing more for this lane."""
        shard_id = self._lane.shard_id
        if not self._stream.is_closed(shard_id) or any(self._stream.read(shard_id, self._position)):
            return False
        self._done_until(self._stream.last_sequence(shard_id))
        return True

    def _done_until(self, sequence: int) -> None:
        self._position = max(self._position, sequence)
        try:
            self._positions.advance(self._lane, self._position)
        except FactsNotKeptError as problem:  # then these records come again after a restart
            self._mapping.last_result = f"PROBLEM: {problem}"

    def _next_batch(self) -> _Batch:
        """What is there now, waiting for more as long as the batching window says."""
        self._mapping.authorize_reading()
        batch = self._read()
        settings = self._mapping.settings
        ends = time.monotonic() + settings.batching_window_seconds
        while batch.records and len(batch.records) < settings.batch_size and not self._stop.is_set():
            left = ends - time.monotonic()
            if left <= 0:
                break
            self._wake.wait(min(left, _IDLE_SECONDS))
            self._wake.clear()
            batch = self._read()
        return batch

    def _read(self) -> _Batch:
        """The next records of this lane that pass the mapping's filters."""
        chosen: list[StreamRecord] = []
        size, until, most = 0, self._position, self._mapping.settings.batch_size
        for record in self._stream.read(self._lane.shard_id, self._position):
            if self._lane.takes(record.partition_key) and self._passes(record):
                size += len(record.data) + len(record.partition_key) + _RECORD_OVERHEAD_BYTES
                if chosen and (size > _EVENT_LIMIT_BYTES or len(chosen) == most):
                    break
                chosen.append(record)
            until = record.sequence
        return _Batch(chosen, until)

    def _passes(self, record: StreamRecord) -> bool:
        filters = self._mapping.filters
        return filters.pass_everything() or filters.passes(b64decode(record.data))

    # ------------------------------------------------------------------ Carrier, for Delivery

    def invoke(self, records: Sequence[StreamRecord]) -> Outcome:
        mapping = self._mapping
        try:
            event = event_of(records, self._stream.arn, mapping.role_arn())
            result = mapping.call_function(event)
        except (FunctionNotFound, TooManyInvocations, TrustDenied, WarmParentGone) as problem:
            mapping.last_result = f"PROBLEM: {problem}"
            return Outcome(WHOLE_BATCH, invoked=False)
        if result.error:
            failed_at: int | None = WHOLE_BATCH
        else:
            reports = mapping.settings.reports_failures
            failed_at = lowest_failure(result.payload, records) if reports else None
        mapping.last_result = "OK" if failed_at is None else "PROBLEM: Function call failed"
        return Outcome(failed_at, function_error=result.error)

    def give_up(self, part: Attempted, condition: str) -> None:
        event = event_of(part.records, self._stream.arn, self._mapping.role_arn())
        content = on_failure.document(self._mapping.settings, part, condition, datetime.now(UTC))
        for attempt in range(1, _DESTINATION_ATTEMPTS + 1):
            try:
                on_failure.send(content, event, self._mapping.settings, self._mapping.client)
            except (ClientError, BotoCoreError) as error:
                self._mapping.last_result = (
                    f"PROBLEM: The on-failure destination refused the records: {error}"
                )
                if attempt == _DESTINATION_ATTEMPTS or self.pause(attempt):
                    _logger.error("Records %s lost: %s", _span(part.records), error)  # noqa: TRY400
                    return
            else:
                return

    def pause(self, seconds: float) -> bool:
        return self._stop.wait(seconds)

    def now(self) -> float:
        return time.time()


def _span(records: Sequence[StreamRecord]) -> str:
    return f"{records[0].shard_id}:{records[0].sequence}-{records[-1].sequence}"
