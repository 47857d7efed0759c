"""The record processor: no position is saved before its records are kept, and no error is swallowed."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn

from presence_worker.checkpoints import Checkpoints, CheckpointUnavailableError
from presence_worker.patience import Patience
from sightline.deliveries import Delivery
from sightline.presence.service import Outcome

# A checkpoint is a write to the lease table; what came after the last one comes again after a crash.
CHECKPOINT_SECONDS = 5.0

# Keeps a batch: when it returns, all of it is kept; after an UnavailableError the whole batch may come again.
Record = Callable[[Sequence[Delivery]], Outcome]


@dataclass(slots=True)
class PresenceProcessor:
    """One shard's records, in their order; kclpy calls one method at a time.

    kclpy reports a batch as done whatever its processor raises, and the next checkpoint would skip the batch.
    So nothing is raised to it: what cannot be handled ends this process (`leave`) and so the daemon. They are
    started again and read on from the last checkpoint.
    """

    record: Record
    checkpoints: Checkpoints
    patience: Patience
    log: Callable[..., None]
    leave: Callable[[], NoReturn]
    clock: Callable[[], float] = time.monotonic
    version: int = 3  # of kclpy's interface
    _shard: str = ""
    _unsaved: tuple[str, int] | None = None
    _saved_at: float = field(default=float("-inf"))

    def initialize(self, start: Any) -> None:
        self._shard = start.shard_id
        self.log("reading", shard=self._shard)

    def process_records(self, batch: Any) -> None:
        """The daemon sends empty batches too, so that the last records before a pause are saved as well."""
        with self._leaving_on_error():
            if batch.records:
                self._keep(batch.records)
            if self._unsaved and self.clock() - self._saved_at >= CHECKPOINT_SECONDS:
                self._save_or_later(batch.checkpointer)

    def lease_lost(self, _lost: Any) -> None:
        """Another worker reads on: it would refuse a checkpoint."""
        self.log("lease lost", shard=self._shard)

    def shard_ended(self, ended: Any) -> None:
        """Without this checkpoint nobody would ever start with the children of the shard."""
        with self._leaving_on_error():
            self.checkpoints.save(ended.checkpointer)
            self.log("shard ended", shard=self._shard)

    def shutdown_requested(self, asked: Any) -> None:
        """Whoever has the shard next begins where this one stopped."""
        with self._leaving_on_error():
            self._save(asked.checkpointer)
            self.log("handed over", shard=self._shard)

    def _keep(self, records: Sequence[Any]) -> None:
        deliveries = [Delivery(each.sequence_number, each.binary_data) for each in records]
        outcome = self.patience.until_available(lambda: self.record(deliveries))
        self._unsaved = records[-1].sequence_number, records[-1].sub_sequence_number
        self.log("kept", shard=self._shard, records=len(records), **asdict(outcome))

    def _save_or_later(self, checkpointer: Any) -> None:
        try:
            self._save(checkpointer)
        except CheckpointUnavailableError:
            self.log("not saved", shard=self._shard)

    def _save(self, checkpointer: Any) -> None:
        self._saved_at = self.clock()
        if self._unsaved is not None:
            self.checkpoints.save(checkpointer, *self._unsaved)
            self._unsaved = None

    @contextmanager
    def _leaving_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:  # noqa: BLE001  kclpy would go on after it
            # The kind alone: a text may quote a record.
            self.log("cannot go on", shard=self._shard, error=type(error).__name__)
            self.leave()
