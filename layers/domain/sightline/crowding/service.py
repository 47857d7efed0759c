"""One alert per crowd, none lost, none sent twice by counts that come again.

The streaming SQL counts people, per device and minute, and knows no limits: here each count is held against
the limit of its device. A crowd that is new is written down with its whole alert, then the alert is
published, then the mark is removed. Whatever happens in between, the batch comes again and finds the alert
pending; only a crash between the last two steps sends it twice, under the same id.

The crowding stream has one shard, so there is one invocation at a time; should another write the same log
(a function that hung, and woke up), the one that comes second begins again with what the first one wrote.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from sightline.alerts.model import Notification
from sightline.clock import Clock
from sightline.crowding.model import CrowdLog, Headcount, Meaning, WatchedDevice, notification_of
from sightline.crowding.row import UnreadableCountError, read_count
from sightline.deliveries import Delivery
from sightline.errors import UnavailableError
from sightline.parking import ParkedRecord, ParkedRecords

# A topic that hangs costs up to 27 s per alert: what is not begun by then waits for the next invocation.
TIME_TO_BEGIN: Final = timedelta(seconds=20)


class Crowds(Protocol):
    def look_up(
        self, device_ids: Iterable[str]
    ) -> tuple[Mapping[str, WatchedDevice], Mapping[str, CrowdLog]]:
        """The devices that there are, and the logs of those that had crowds, by device id."""
        ...

    def write(self, log: CrowdLog) -> bool:
        """As the next revision; False, and nothing written, if the table has another one than `log`."""
        ...


class AlertSink(Protocol):
    def publish(self, notification: Notification) -> None:
        """It has gone out; UnavailableError when it may not have."""
        ...


@dataclass(slots=True)
class Outcome:
    """What became of a batch; everything from `comes_again` (a sequence number) on is delivered again."""

    counts: int = 0
    alerts: int = 0
    parked: int = 0
    comes_again: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class _Batch:
    begun_at: datetime
    outcome: Outcome = field(default_factory=Outcome)
    counts: dict[int, Headcount] = field(default_factory=dict)
    failed: list[int] = field(default_factory=list)

    def fail(self, positions: Iterable[int], error: UnavailableError) -> None:
        self.failed += positions
        self.outcome.reason = self.outcome.reason or error.detail

    def by_device(self) -> dict[str, list[int]]:
        """Positions of each device's counts, in order of time."""
        found: dict[str, list[int]] = {}
        for position in sorted(self.counts, key=lambda each: self.counts[each].begin):
            found.setdefault(self.counts[position].device_id, []).append(position)
        return found


@dataclass(frozen=True, slots=True)
class CrowdWatch:
    crowds: Crowds
    sink: AlertSink
    parked: ParkedRecords
    clock: Clock

    def attend(self, stream: str, deliveries: Sequence[Delivery]) -> Outcome:
        """Each device is attended to for itself: a refusal stops no other one."""
        batch = _Batch(self.clock())
        for position, delivery in enumerate(deliveries):
            self._read(stream, position, delivery, batch)
        self._attend_all(batch)
        batch.outcome.counts = len(batch.counts)
        if batch.failed:
            batch.outcome.comes_again = deliveries[min(batch.failed)].sequence_number
        return batch.outcome

    def _read(self, stream: str, position: int, delivery: Delivery, batch: _Batch) -> None:
        try:
            batch.counts[position] = read_count(delivery.payload)
        except UnreadableCountError as error:
            record = ParkedRecord(
                stream, delivery.sequence_number, delivery.payload, str(error), self.clock()
            )
            try:
                self.parked.park(record)
                batch.outcome.parked += 1
            except UnavailableError as unavailable:
                batch.fail([position], unavailable)

    def _attend_all(self, batch: _Batch) -> None:
        positions = batch.by_device()
        if not positions:
            return
        try:
            devices, logs = self.crowds.look_up(positions)
        except UnavailableError as error:
            batch.fail(batch.counts, error)
            return
        for device_id, ours in positions.items():
            counts = [batch.counts[each] for each in ours]
            log = logs.get(device_id, CrowdLog(device_id))
            try:
                self._attend(devices.get(device_id), log, counts, batch)
            except UnavailableError as error:
                # All of them, because what the first ones changed may not have been written.
                batch.fail(ours, error)

    def _attend(
        self, device: WatchedDevice | None, log: CrowdLog, counts: Iterable[Headcount], batch: _Batch
    ) -> None:
        log = stored = self._send(log, batch)  # what an invocation before could not send
        for count in counts:
            if device is None or not device.is_crowded(count):
                continue
            meaning, log = log.met(count)
            if meaning is Meaning.NEW:
                claimed = self._write(replace(log, pending=notification_of(device, count)))
                log = stored = self._send(claimed, batch)
        if log != stored:
            self._write(log)

    def _send(self, log: CrowdLog, batch: _Batch) -> CrowdLog:
        if log.pending is None:
            return log
        if self.clock() - batch.begun_at > TIME_TO_BEGIN:
            raise UnavailableError("no time left in this invocation")
        self.sink.publish(log.pending)
        batch.outcome.alerts += 1
        return self._write(replace(log, pending=None))

    def _write(self, log: CrowdLog) -> CrowdLog:
        if not self.crowds.write(log):
            raise UnavailableError("another invocation writes the crowds of this device")
        return replace(log, revision=log.revision + 1)
