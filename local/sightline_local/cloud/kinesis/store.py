"""Every data stream of the runtime."""

import time
from collections.abc import Callable
from threading import Lock

from sightline_local.cloud.kinesis.stream import STREAMS, DataStream, even_shards
from sightline_local.state.facts import Facts

ClockSeconds = Callable[[], float]


class StreamGone(Exception):  # noqa: N818  what happened
    """The stream, or the shard, does not exist (any more)."""


class DataStreams:
    """Streams by name. `listeners` are told the name of a stream that got records or other shards."""

    def __init__(
        self, region: str, account: str, facts: Facts | None = None, now: ClockSeconds = time.time
    ) -> None:
        self.region, self.account = region, account
        self.listeners: list[Callable[[str], None]] = []
        self._facts = facts or Facts.none()
        self._now = now
        self._streams: dict[str, DataStream] = {}
        self._lock = Lock()

    def now(self) -> float:
        return round(self._now(), 3)

    def arn_of(self, name: str) -> str:
        return f"arn:aws:kinesis:{self.region}:{self.account}:stream/{name}"

    def create(self, name: str, shard_count: int) -> DataStream | None:
        """None when there is one of that name. One that was kept comes back as it was."""
        with self._lock:
            if name in self._streams:
                return None
            fact = self._facts.get(STREAMS, name)
            stream = self._kept(name, fact) if fact else self._new(name, shard_count)
            self._streams[name] = stream
        return stream

    def named(self, name: str) -> DataStream:
        """Raise StreamGone when there is none."""
        stream = self._streams.get(name)
        if stream is None:
            raise StreamGone(f"Stream {name} under account {self.account} not found.")
        return stream

    def names(self) -> list[str]:
        return sorted(self._streams)

    def delete(self, name: str) -> None:
        with self._lock:
            stream = self._streams.pop(name, None)
        if stream:
            stream.forget()

    def tell(self, name: str) -> None:
        """Somebody may want to read."""
        for listener in self.listeners:
            listener(name)

    def restore(self) -> list[str]:
        """Bring back every kept stream that nobody has created since the start."""
        for name, fact in self._facts.all(STREAMS):
            if name not in self._streams:
                self._streams[name] = self._kept(name, fact)
        return []

    def begin(self) -> None:
        """Nothing here runs by itself."""

    def _kept(self, name: str, fact: bytes) -> DataStream:
        return DataStream.kept(name, fact, self._facts)

    def _new(self, name: str, shard_count: int) -> DataStream:
        now = self.now()
        stream = DataStream(name, self.arn_of(name), even_shards(shard_count, now), now, self._facts)
        stream.keep()
        return stream
