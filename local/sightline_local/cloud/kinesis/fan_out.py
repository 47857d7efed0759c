"""SubscribeToShard: a registered consumer is sent the records of a shard, for five minutes.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
"""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sightline_local.cloud.kinesis.lookup import find, find_consumer, find_shard
from sightline_local.cloud.kinesis.positions import position
from sightline_local.cloud.kinesis.store import DataStreams
from sightline_local.cloud.kinesis.subscription import Seconds, Subscription
from sightline_local.cloud.service import EventStream, ServiceError

_TAKEN_FOR_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Held:
    """The subscription of one consumer to one shard, and when it was made."""

    subscription: Subscription
    since: float


class FanOut:
    """Every subscription of the runtime."""

    def __init__(
        self,
        streams: DataStreams,
        *,
        lasts_seconds: float = 300.0,
        sign_every_seconds: float = 5.0,
        clock: Seconds = time.monotonic,
    ) -> None:
        self._streams = streams
        self._lasts, self._sign_every = lasts_seconds, sign_every_seconds
        self._clock = clock
        self._held: dict[tuple[str, str], _Held] = {}  # of (consumer, shard)
        self._lock = Lock()
        streams.listeners.append(self._wake)

    def subscribe_to_shard(self, params: dict[str, Any]) -> EventStream:
        stream, consumer = find_consumer(self._streams, params)
        shard = find_shard(self._streams, stream, str(params.get("ShardId", "")))
        start = params.get("StartingPosition") or {}
        after = position(shard, start.get("Type"), start.get("SequenceNumber"), start.get("Timestamp"))

        def check() -> None:
            if find(self._streams, params) is not stream:
                raise ServiceError("ResourceNotFoundException", f"Stream {stream.name} is another one now.")
            find_consumer(self._streams, params)

        subscription = Subscription(stream, shard, after, check)
        self._hold((consumer, shard.shard_id), subscription)
        events = subscription.events(self._streams.now, self._clock, self._lasts, self._sign_every)
        return EventStream(events, subscription.end)

    def _hold(self, key: tuple[str, str], subscription: Subscription) -> None:
        in_use = ServiceError(
            "ResourceInUseException",
            f"Another active subscription exists for this consumer: {key[0].partition(':stream/')[2]}",
        )
        with self._lock:
            now = self._clock()
            held = self._held.get(key)
            if held and now - held.since < _TAKEN_FOR_SECONDS:
                raise in_use
            self._forget(now)
            self._held[key] = _Held(subscription, now)
        if held:
            held.subscription.end(in_use)

    def _forget(self, now: float) -> None:
        over = [
            key
            for key, held in self._held.items()
            if held.subscription.is_over and now - held.since >= _TAKEN_FOR_SECONDS
        ]
        for key in over:
            del self._held[key]

    def _wake(self, stream_name: str) -> None:
        if not self._held:
            return
        with self._lock:
            told = [held.subscription for held in self._held.values()]
        for subscription in told:
            if subscription.stream_name == stream_name:
                subscription.wake()
