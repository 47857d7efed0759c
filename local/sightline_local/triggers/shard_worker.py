"""One shard of one mapping: read, batch, deliver, go on; asleep while there is nothing to do."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.functions.spec import FunctionNotFound, InvokeResult, TooManyInvocations
from sightline_local.iam import AccessDenied, TrustDenied
from sightline_local.triggers import on_failure
from sightline_local.triggers.delivery import Attempted, Delivery, Outcome
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.records import Stream, StreamGone, StreamRecord, event_of
from sightline_local.triggers.responses import WHOLE_BATCH, lowest_failure

_logger = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0  # AWS polls as often; a put through the gateway wakes us at once
_EVENT_LIMIT_BYTES = 6 * 1000 * 1000
_RECORD_OVERHEAD_BYTES = 600
_DESTINATION_ATTEMPTS = 3


class MappingState(Protocol):
    """What a worker shares with its mapping."""

    settings: MappingSettings
    last_result: str

    def role_arn(self) -> str: ...
    def authorize_reading(self) -> None:
        """Raise AccessDenied when the function's role may not read the stream."""
        ...

    def call_function(self, event: bytes) -> InvokeResult: ...
    def client(self, service: str) -> object: ...


class ShardWorker:
    """A thread per shard: a shard that is stuck holds up no other."""

    def __init__(self, mapping: MappingState, stream: Stream, shard_id: str, position: int) -> None:
        self.position = position  # everything up to this sequence number is done
        self._mapping = mapping
        self._stream = stream
        self._shard_id = shard_id
        self._incarnation = stream.incarnation()
        self._wake = Event()
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"mapping-{shard_id}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end; an invocation under way ends by itself."""
        self._stop.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                batch = self._next_batch()
                delivery = Delivery(self._mapping.settings, self._stream.retention_seconds(), self)
            except (StreamGone, AccessDenied, TrustDenied, FunctionNotFound) as problem:
                self._mapping.last_result = f"PROBLEM: {problem}"
                batch = []
            if batch:
                delivery.deliver(batch, self._done_until)
            else:
                self._wake.wait(_IDLE_SECONDS)

    def _done_until(self, sequence: int) -> None:
        self.position = max(self.position, sequence)

    def _next_batch(self) -> list[StreamRecord]:
        """What is there now, waiting for more as long as the batching window says."""
        self._mapping.authorize_reading()
        if self._stream.incarnation() != self._incarnation:
            self._incarnation, self.position = self._stream.incarnation(), 0
        records = self._read()
        settings = self._mapping.settings
        ends = time.monotonic() + settings.batching_window_seconds
        while records and not _is_full(records, settings.batch_size) and not self._stop.is_set():
            left = ends - time.monotonic()
            if left <= 0:
                break
            self._wake.wait(min(left, _IDLE_SECONDS))
            self._wake.clear()
            records = self._read()
        return records

    def _read(self) -> list[StreamRecord]:
        records = self._stream.read(self._shard_id, self.position, self._mapping.settings.batch_size)
        size = 0
        for index, record in enumerate(records):
            size += len(record.data) + len(record.partition_key) + _RECORD_OVERHEAD_BYTES
            if size > _EVENT_LIMIT_BYTES and index > 0:
                return records[:index]
        return records

    # ------------------------------------------------------------------ Carrier, for Delivery

    def invoke(self, records: Sequence[StreamRecord]) -> Outcome:
        mapping = self._mapping
        try:
            event = event_of(records, self._stream.arn, mapping.role_arn())
            result = mapping.call_function(event)
        except (FunctionNotFound, TooManyInvocations, TrustDenied) as problem:
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


def _is_full(records: Sequence[StreamRecord], batch_size: int) -> bool:
    return len(records) >= batch_size


def _span(records: Sequence[StreamRecord]) -> str:
    return f"{records[0].shard_id}:{records[0].sequence}-{records[-1].sequence}"
