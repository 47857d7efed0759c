"""Fragments without pictures, and a service that is no server."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sightline_camera.errors import LostConnectionError
from sightline_camera.events import CameraEvent, Summary
from sightline_camera.producer import Clock, Pace, Producer
from sightline_media import Ack, Fragment, FragmentReader
from sightline_media.acks import BUFFERING, PERSISTED, RECEIVED
from tests.unit.media.matroska import cluster, simple_block, start

START = datetime(2026, 5, 1, 12, 0, 0, 5000, tzinfo=UTC)


def film(fragments: int, *, seconds: int = 2) -> list[Fragment]:
    """Fragments of two frames: the second one 40 ms before the next fragment."""
    length = seconds * 1000
    blocks = (simple_block(0), simple_block(length - 40, key_frame=False))
    return FragmentReader().feed(
        start() + b"".join(cluster(number * length, *blocks) for number in range(fragments))
    )


@dataclass
class FakeTime:
    """A clock that goes only when somebody waits."""

    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(
            now=lambda: START + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            jitter=lambda: 1.0,
        )


@dataclass
class FakeService:
    """Takes fragments; `answer` says which acknowledgements one fragment brings, or raises."""

    time: FakeTime
    answer: Callable[["FakeService", Fragment], list[Ack]] = lambda service, fragment: service.all_acks(
        fragment
    )
    retention: bool = True
    break_sending_of: int | None = None
    refuse: Callable[[int], None] = lambda _connection: None
    connections: list[list[int]] = field(default_factory=list)
    sent_at: dict[int, float] = field(default_factory=dict)
    open_connections: int = 0

    def all_acks(self, fragment: Fragment) -> list[Ack]:
        number = str(1000 + fragment.timecode_ms)
        steps = (BUFFERING, RECEIVED, PERSISTED) if self.retention else (BUFFERING, RECEIVED)
        return [Ack(step, fragment.timecode_ms, number) for step in steps]

    def connect(self, _start: datetime) -> "FakeConnection":
        self.refuse(len(self.connections))
        self.connections.append([])
        self.open_connections += 1
        return FakeConnection(self, self.connections[-1])


@dataclass
class FakeConnection:
    service: FakeService
    timecodes: list[int]
    ended: bool = False
    reader: FragmentReader = field(default_factory=lambda: FragmentReader(single_segment=True))
    waiting: deque[Ack | Exception] = field(default_factory=deque)
    is_ending: bool = False

    def send(self, data: bytes) -> None:
        for fragment in self.reader.feed(data):
            if fragment.timecode_ms == self.service.break_sending_of:
                self.service.break_sending_of = None
                raise LostConnectionError("broken pipe")
            self.timecodes.append(fragment.timecode_ms)
            self.service.sent_at.setdefault(fragment.timecode_ms, self.service.time.seconds)
            try:
                self.waiting.extend(self.service.answer(self.service, fragment))
            except LostConnectionError as error:
                self.waiting.append(error)

    def end(self) -> None:
        self.is_ending = True

    def acks(self, seconds: float) -> list[Ack]:
        if not self.waiting:
            self.ended = self.is_ending
            # Nobody waits without time going on.
            self.service.time.seconds += max(seconds, 0.001)
            return []
        ack = self.waiting.popleft()
        if isinstance(ack, Exception):
            raise ack
        return [ack]

    def close(self) -> None:
        self.service.open_connections -= 1


@dataclass
class Run:
    """One run of a producer, and what it told."""

    service: FakeService
    pace: Pace = field(default_factory=lambda: Pace(first_delay=0.0))
    stop: threading.Event = field(default_factory=threading.Event)
    events: list[CameraEvent] = field(default_factory=list)
    listen: Callable[[CameraEvent], None] = lambda _event: None

    def stream(self, fragments: Iterator[Fragment]) -> Summary:
        def on_event(event: CameraEvent) -> None:
            self.events.append(event)
            self.listen(event)

        producer = Producer(
            fragments,
            self.service.connect,
            on_event=on_event,
            stop=self.stop,
            pace=self.pace,
            clock=self.service.time.clock(),
        )
        return producer.run()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]
