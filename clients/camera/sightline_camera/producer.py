"""Streams fragments in real time, over as many connections as it takes."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from sightline_camera.errors import CameraError, LostConnectionError, RefusedError
from sightline_camera.events import CameraEvent, Kind, Summary
from sightline_camera.outbox import Outbox
from sightline_camera.put_media import PutMedia
from sightline_camera.refusals import check_ack, is_passing, refused
from sightline_media import Ack, Fragment
from sightline_media.acks import PERSISTED, RECEIVED

_STOP_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """When a camera gives up, goes on, or begins anew; seconds."""

    real_time: bool = True
    rotate_after: float = (
        40 * 60.0
    )  # the service closes a connection after 45 minutes, perhaps inside a fragment
    ack_timeout: float = 30.0
    drain_timeout: float = 15.0
    stop_drain_timeout: float = 2.0
    window: int = 8  # fragments that the service has not received
    first_delay: float = 0.5
    longest_delay: float = 20.0
    attempts: int = 8  # in a row; about a minute
    first_attempts: int = 2  # before anything was ever acknowledged: a wrong address should be told at once


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = lambda: random.uniform(0.75, 1.25)  # noqa: S311 - spreads a fleet, no secret


class Producer:
    """Sends each fragment when the time of its last frame has come; keeps it until it is safe."""

    def __init__(
        self,
        fragments: Iterator[Fragment],
        connect: Callable[[datetime], PutMedia],
        *,
        on_event: Callable[[CameraEvent], None],
        stop: threading.Event,
        pace: Pace,
        clock: Clock,
    ) -> None:
        """`connect` opens a PutMedia request for a stream whose first frame was at the given time."""
        self._fragments = fragments
        self._connect = connect
        self._on_event = on_event
        self._stop = stop
        self._pace = pace
        self._clock = clock
        self._outbox = Outbox()
        self._waiting: deque[Fragment] = deque()
        self._last_sent_ms = -1
        self._count = 0
        self._failures = 0
        self._was_acknowledged = False
        self._last_number: str | None = None

    def run(self) -> Summary:
        """Stream until the fragments end, the stop event is set, or a CameraError says why not."""
        start, began = self._clock.now(), self._clock.monotonic()
        while not self._is_done():
            try:
                self._stream_once(start, began)
            except LostConnectionError as error:
                self._back_off(error)
            except RefusedError as error:
                if not is_passing(error, reconnecting=self._was_acknowledged):
                    raise refused(error) from None
                self._back_off(error)
        return Summary(self._count, start, self._last_number)

    def _is_done(self) -> bool:
        return self._stop.is_set() or (self._outbox.is_safe and self._next() is None)

    def _next(self) -> Fragment | None:
        """The fragment to send next; it stays the next until it was sent."""
        if not self._waiting:
            self._waiting.extend(islice(self._fragments, 1))
        return self._waiting[0] if self._waiting else None

    def _stream_once(self, start: datetime, began: float) -> None:
        """One connection, up to its planned end."""
        self._waiting.extendleft(reversed(self._outbox.take_unsafe()))
        first = self._next()
        connection = self._connect(start)
        try:
            self._tell("connected")
            connection.send(first.header if first else b"")
            self._send_until_rotation(connection, began)
            self._drain(connection)
        except LostConnectionError:
            # What was acknowledged just before the end need not be sent again.
            self._take_all(connection)
            raise
        finally:
            connection.close()

    def _send_until_rotation(self, connection: PutMedia, began: float) -> None:
        rotation = self._clock.monotonic() + self._pace.rotate_after
        while (fragment := self._next()) and self._clock.monotonic() < rotation:
            self._wait_for(connection, fragment, began)
            if self._stop.is_set():
                return
            self._send(connection, fragment)
            self._listen(connection, 0.0)

    def _take_all(self, connection: PutMedia) -> None:
        with suppress(LostConnectionError):
            while acks := connection.acks(0.0):
                for ack in acks:
                    self._take(ack)

    def _send(self, connection: PutMedia, fragment: Fragment) -> None:
        connection.send(fragment.cluster)
        self._waiting.popleft()
        self._outbox.add(fragment, self._clock.monotonic())
        again = fragment.timecode_ms <= self._last_sent_ms
        self._last_sent_ms = max(self._last_sent_ms, fragment.timecode_ms)
        self._count += not again
        self._tell(
            "fragment",
            timecode_ms=fragment.timecode_ms,
            duration_ms=fragment.duration_ms,
            size_bytes=fragment.size_bytes,
            detail="sent again" if again else "",
        )

    def _wait_for(self, connection: PutMedia, fragment: Fragment, began: float) -> None:
        """Until the fragment's last frame would have been filmed, and there is room for it."""
        due = began + fragment.last_frame_ms / 1000 if self._pace.real_time else began
        while not self._stop.is_set() and (left := due - self._clock.monotonic()) > 0:
            self._listen(connection, min(left, _STOP_POLL_SECONDS))
        while not self._stop.is_set() and self._outbox.in_flight >= self._pace.window:
            self._listen(connection, _STOP_POLL_SECONDS)

    def _drain(self, connection: PutMedia) -> None:
        """End the request and wait for the last acknowledgements."""
        connection.end()
        stopped = self._stop.is_set()
        deadline = self._clock.monotonic() + (
            self._pace.stop_drain_timeout if stopped else self._pace.drain_timeout
        )
        while not connection.ended and not self._outbox.is_empty and self._clock.monotonic() < deadline:
            for ack in connection.acks(_STOP_POLL_SECONDS):
                self._take(ack)
            if self._stop.is_set() and not stopped:
                return
        if not self._outbox.is_safe and not self._stop.is_set():
            raise LostConnectionError("not every fragment was acknowledged")

    def _listen(self, connection: PutMedia, seconds: float) -> None:
        for ack in connection.acks(seconds):
            self._take(ack)
        if connection.ended:
            raise LostConnectionError("the service ended the connection")
        waiting_since = self._outbox.oldest_in_flight()
        if waiting_since is not None and self._clock.monotonic() - waiting_since > self._pace.ack_timeout:
            raise LostConnectionError(f"no acknowledgement for {self._pace.ack_timeout:.0f} s")

    def _take(self, ack: Ack) -> None:
        self._tell("ack", timecode_ms=ack.timecode_ms, ack=ack)
        check_ack(ack)
        self._outbox.acknowledge(ack)
        self._last_number = ack.number or self._last_number
        # BUFFERING does not count: a fragment that breaks every connection would be tried for ever.
        if ack.event_type in {RECEIVED, PERSISTED}:
            self._was_acknowledged, self._failures = True, 0

    def _back_off(self, error: Exception) -> None:
        if self._is_done():
            return
        self._failures += 1
        allowed = self._pace.attempts if self._was_acknowledged else self._pace.first_attempts
        if self._failures > allowed:
            raise CameraError(f"the video cannot be delivered: {error}") from None
        delay = min(self._pace.longest_delay, self._pace.first_delay * 2 ** (self._failures - 1))
        self._tell("reconnecting", detail=str(error))
        self._stop.wait(delay * self._clock.jitter())

    def _tell(
        self,
        kind: Kind,
        *,
        timecode_ms: int | None = None,
        duration_ms: int | None = None,
        size_bytes: int | None = None,
        ack: Ack | None = None,
        detail: str = "",
    ) -> None:
        self._on_event(
            CameraEvent(kind, self._clock.now(), timecode_ms, duration_ms, size_bytes, ack, detail)
        )
