"""Event source mappings from Kinesis streams.

Records are read in this process. What that leaves out, the permission check of GetRecords, is made up
for: before every read the function's role is authorised for the actions that Lambda itself needs.
"""

from contextlib import suppress
from datetime import UTC, datetime
from threading import RLock, Thread
from typing import Any

from sightline_local.cloud.kinesis import DataStreams
from sightline_local.functions.spec import InvokeResult
from sightline_local.iam import AccessDenied
from sightline_local.state import Facts
from sightline_local.triggers import on_failure
from sightline_local.triggers.filters import KEY_OF_SERVICE, Filters
from sightline_local.triggers.mapping import MappingSettings, SourceRefused
from sightline_local.triggers.mapping_role import MappingRole
from sightline_local.triggers.positions import Lane, Positions
from sightline_local.triggers.records import Stream, StreamGone
from sightline_local.triggers.shard_worker import ShardWorker

_READ_ACTIONS = (
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:DescribeStream",
    "kinesis:ListShards",
)


class StreamMapping:
    """Workers for the lanes of each shard whose parents are done."""

    def __init__(
        self, settings: MappingSettings, role: MappingRole, streams: DataStreams, facts: Facts
    ) -> None:
        self.settings = settings
        self.last_result = "No records processed"
        self.last_modified = datetime.now(UTC)
        self.filters = Filters(settings.filters, KEY_OF_SERVICE["kinesis"])
        self._role = role
        self._stream = Stream(settings.source_arn, streams)
        self._incarnation: float | None = None
        self._facts = facts
        self._positions = Positions(settings.uuid, facts)
        self._workers: dict[str, list[ShardWorker]] = {}
        self._lock = RLock()
        self._stopped = True

    def check_access(self) -> None:
        """Raise SourceRefused as Lambda does when a mapping is made."""
        try:
            self._stream.incarnation()
            for action in _READ_ACTIONS:
                self._role.authorize(action, self.settings.source_arn)
            self._check_destination()
        except StreamGone as error:
            raise SourceRefused(str(error)) from error
        except AccessDenied as error:
            raise SourceRefused(
                f"Cannot access stream {self.settings.source_arn}. Please ensure the role can perform the "
                "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your "
                f"stream in IAM, and can write to the destination ({error})"
            ) from error

    def _check_destination(self) -> None:
        if destination := self.settings.on_failure:
            for action in on_failure.ACTIONS_BY_SERVICE[on_failure.service_of(destination)]:
                place = f"{destination}/aws/lambda/" if action == "s3:PutObject" else destination
                self._role.authorize(action, place)

    def place(self) -> None:
        """Decide where in each shard to begin; what was decided or done before stands."""
        with self._lock, suppress(StreamGone):
            if self._incarnation is None:
                self._incarnation = self._stream.incarnation()
            if not self._positions.is_decided():
                self._positions.decide({shard: self._first(shard) for shard in self._stream.shard_ids()})

    def start(self) -> None:
        self.place()
        with self._lock:
            self._stopped = False
        self.wake()

    def stop(self) -> list[Thread]:
        """What is not done yet is read again after the next start."""
        with self._lock:
            self._stopped = True
            workers = [worker for lanes in self._workers.values() for worker in lanes]
            self._workers.clear()
            for worker in workers:
                worker.stop()
        return [worker.thread for worker in workers]

    def wake(self) -> None:
        """There may be records, or shards whose turn has come."""
        with suppress(StreamGone), self._lock:
            if self._stopped:
                return
            self._follow_stream()
            for shard in self._stream.shard_ids():
                if shard not in self._workers and self._may_begin(shard):
                    self._begin(shard)
            for lanes in self._workers.values():
                for worker in lanes:
                    worker.wake()

    def change(self, settings: MappingSettings) -> None:
        """Workers see the new settings with their next batch; another number of lanes needs new workers."""
        former, self.settings = self.settings, settings
        self.filters = Filters(settings.filters, KEY_OF_SERVICE["kinesis"])
        self.last_modified = datetime.now(UTC)
        if not settings.enabled or settings.parallelization != former.parallelization:
            self.stop()
        if settings.enabled:
            self.start()

    def forget(self) -> None:
        """It is deleted: where it was is of no use to anybody."""
        self._positions.forget()

    def _follow_stream(self) -> None:
        """A new stream of the old name counts its records anew."""
        incarnation = self._stream.incarnation()
        if incarnation != self._incarnation:
            self._incarnation = incarnation
            self.stop()
            self._stopped = False
            self._positions.forget()
            self._positions = Positions(self.settings.uuid, self._facts)
            self._positions.decide(dict.fromkeys(self._stream.shard_ids(), 0))

    def _may_begin(self, shard: str) -> bool:
        """A child is read once its parents are: so the order of a partition key is kept."""
        return not self._is_done(shard) and all(map(self._is_done, self._stream.parents(shard)))

    def _is_done(self, shard: str) -> bool:
        stream = self._stream
        return stream.is_closed(shard) and self._positions.lowest(shard) >= stream.last_sequence(shard)

    def _begin(self, shard: str) -> None:
        count = self.settings.parallelization
        self._workers[shard] = [
            ShardWorker(self, self._stream, self._positions, Lane(shard, number, count), position)
            for number, position in enumerate(self._positions.lanes(shard, count))
        ]
        for worker in self._workers[shard]:
            worker.start()

    def _first(self, shard: str) -> int:
        if self.settings.starting_position == "LATEST":
            return self._stream.last_sequence(shard)
        if self.settings.starting_timestamp:
            return self._stream.sequence_before(shard, self.settings.starting_timestamp.timestamp())
        return 0

    # ------------------------------------------------------------------ MappingState, for the workers

    def role_arn(self) -> str:
        return self._role.arn

    def authorize_reading(self) -> None:
        self._role.authorize("kinesis:GetRecords", self.settings.source_arn)

    def call_function(self, event: bytes) -> InvokeResult:
        return self._role.call_function(event)

    def client(self, service: str) -> Any:
        return self._role.client(service)

    def shard_ended(self) -> None:
        self.wake()
