"""What kclpy hands to a record processor, and the daemon's answers, without kclpy."""

from dataclasses import dataclass, field

from presence_worker.checkpoints import Checkpoints
from presence_worker.patience import Patience
from presence_worker.processor import PresenceProcessor
from sightline.presence.service import Outcome


class RefusalError(Exception):
    """As kclpy's CheckpointError: what the daemon answered is its value."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Left(BaseException):
    """The process would be gone."""


@dataclass
class Daemon:
    """The other side of a checkpointer: `answers` are errors that it gives first, one a call."""

    answers: list = field(default_factory=list)
    saved: list = field(default_factory=list)
    asked: int = 0

    def checkpoint(self, *position):
        self.asked += 1
        if self.answers and (answer := self.answers.pop(0)):
            raise RefusalError(answer)
        self.saved.append(position)


@dataclass
class Record:
    sequence_number: str
    binary_data: bytes = b"{}"
    sub_sequence_number: int = 0


@dataclass
class Batch:
    records: list
    checkpointer: Daemon


@dataclass
class Shard:
    """A processor of one shard: `fails` are what keeping a batch raises first, one a try."""

    daemon: Daemon = field(default_factory=Daemon)
    fails: list = field(default_factory=list)
    now: float = 100.0
    kept: list = field(default_factory=list)
    said: list = field(default_factory=list)
    pauses: list = field(default_factory=list)

    def __post_init__(self):
        self.processor = PresenceProcessor(
            record=self._record,
            checkpoints=Checkpoints(RefusalError, self.pauses.append),
            patience=Patience(self._log, self.pauses.append),
            log=self._log,
            leave=self._leave,
            clock=lambda: self.now,
        )

    def receive(self, *numbers):
        self.processor.process_records(Batch([Record(each, each.encode()) for each in numbers], self.daemon))

    def _record(self, deliveries):
        if self.fails and (failure := self.fails.pop(0)):
            raise failure
        self.kept.extend(each.sequence_number for each in deliveries)
        return Outcome(counted=len(deliveries), repeated=0, undecided=0, set_aside=0)

    def _log(self, event, **about):
        self.said.append({"event": event, **about})

    def _leave(self):
        raise Left
