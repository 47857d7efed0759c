"""One subscription to a shard: its records, as events, until it is over."""

from collections.abc import Callable, Iterator
from threading import Condition
from typing import Any

from sightline_local.cloud.kinesis.positions import fitting, shown, shown_child
from sightline_local.cloud.kinesis.shard import Shard
from sightline_local.cloud.kinesis.stream import DataStream
from sightline_local.cloud.service import ServiceError

_EVENT_RECORDS = 10_000
_EVENT_BYTES = 1 << 20

Seconds = Callable[[], float]
Event = tuple[str, dict[str, Any]]


class Subscription:
    """One thread pulls events; `wake` and `end` are for the others."""

    def __init__(self, stream: DataStream, shard: Shard, after: int, check: Callable[[], object]) -> None:
        """`check` raises the ServiceError that ends the subscription, when there is one."""
        self.stream_name = stream.name
        self.is_over = False
        self._stream, self._shard, self._after, self._check = stream, shard, after, check
        self._changed = Condition()
        self._is_woken = False
        self._error: ServiceError | None = None

    def wake(self) -> None:
        """Something has happened to the stream."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def end(self, error: ServiceError | None = None) -> None:
        """No event follows the one that is on its way, but the error."""
        with self._changed:
            self.is_over, self._error = True, self._error or error
            self._changed.notify_all()

    def events(self, now: Seconds, clock: Seconds, lasts: float, sign_every: float) -> Iterator[Event]:
        """An event at once, with every record, and where there are none every so many seconds.

        `now` is the time of records, `clock` what `lasts` and `sign_every` are measured by.
        """
        until, sign_at = clock() + lasts, clock()
        while self._goes_on() and clock() < until:
            event = self._event(now())
            if event["Records"] or "ChildShards" in event or clock() >= sign_at:
                yield "SubscribeToShardEvent", event
                sign_at = clock() + sign_every
            if "ChildShards" in event:
                return
            if not event["Records"]:
                self._wait(min(sign_at, until) - clock())

    def _goes_on(self) -> bool:
        if self._error:
            raise self._error
        if not self.is_over:
            self._check()
        return not self.is_over

    def _event(self, now: float) -> dict[str, Any]:
        with self._changed:
            self._is_woken = False
        was_closed = self._shard.is_closed  # asked first: what came before the end is in what is read now
        waiting = self._stream.read(self._shard.shard_id, self._after, _EVENT_RECORDS)
        records = fitting(waiting, _EVENT_BYTES)
        self._after = records[-1].sequence if records else self._after
        left = waiting[len(records) :] or self._stream.read(self._shard.shard_id, self._after, 1)
        event: dict[str, Any] = {
            "Records": [shown(record) for record in records],
            "MillisBehindLatest": max(0, int((now - left[0].arrived_at) * 1000)) if left else 0,
        }
        if left or not was_closed:
            reached = max(self._after, self._shard.starting_sequence)
            return {**event, "ContinuationSequenceNumber": str(reached)}
        children = self._stream.children_of(self._shard.shard_id)
        return {**event, "ChildShards": [shown_child(child) for child in children]}

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_woken or self.is_over, max(0.0, seconds))
