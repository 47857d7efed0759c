"""Event source mappings from Kinesis streams to functions.

Records are read from moto's shards in this process. What that leaves out, the permission check of
GetRecords, is made up for: before every read the function's role is authorised for the actions that Lambda
itself needs on the stream.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sightline_local.cloud.clients import Clients
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import InvokeResult
from sightline_local.iam import Authorizer, Sessions
from sightline_local.iam.lending import LentRole
from sightline_local.triggers import on_failure
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.records import Stream, StreamGone
from sightline_local.triggers.shard_worker import ShardWorker

_READ_ACTIONS = (
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:DescribeStream",
    "kinesis:ListShards",
)
_CLOSE_SECONDS = 1.0


class Mapping:
    """One mapping: its settings, its workers, how far each shard is done."""

    def __init__(
        self,
        settings: MappingSettings,
        functions: Functions,
        sessions: Sessions,
        authorizer: Authorizer,
        clients: Clients,
    ) -> None:
        self.settings = settings
        self.last_result = "No records processed"
        self.last_modified = datetime.now(UTC)
        self._functions = functions
        self._sessions = sessions
        self._authorizer = authorizer
        self._clients = clients
        role_arn = functions.spec(settings.function_arn).role_arn
        self._role = LentRole(sessions, role_arn, settings.uuid, service="lambda.amazonaws.com")
        self._stream = Stream(settings.stream_arn)
        self._workers: dict[str, ShardWorker] = {}
        self._positions = {shard: self._first_position(shard) for shard in self._stream.shard_ids()}
        self._lock = Lock()
        self._stopped = True

    def start(self) -> None:
        with self._lock:
            self._stopped = False
        self.wake()

    def stop(self) -> list[ShardWorker]:
        """Ask every worker to end; what is not done yet is read again after the next start."""
        with self._lock:
            self._stopped = True
            workers = dict(self._workers)
            self._workers.clear()
            for shard, worker in workers.items():
                worker.stop()
                self._positions[shard] = worker.position
        return list(workers.values())

    def wake(self) -> None:
        """There may be records, or a new shard."""
        with suppress(StreamGone), self._lock:
            if self._stopped:
                return
            for shard in self._stream.shard_ids():
                if shard not in self._workers:
                    # Shards that appear later are children: read from their start.
                    position = self._positions.get(shard, 0)
                    self._workers[shard] = ShardWorker(self, self._stream, shard, position)
        for worker in list(self._workers.values()):
            worker.wake()

    def change(self, settings: MappingSettings) -> None:
        """Workers see the new settings with their next batch."""
        was_enabled = self.settings.enabled
        self.settings = settings
        self.last_modified = datetime.now(UTC)
        if settings.enabled and not was_enabled:
            self.start()
        elif was_enabled and not settings.enabled:
            self.stop()

    def check_access(self) -> None:
        """Raise AccessDenied when the role can neither read the stream nor write to the destination."""
        for action in _READ_ACTIONS:
            self._authorize(action, self.settings.stream_arn)
        destination = self.settings.on_failure
        for action in (
            on_failure.ACTIONS_BY_SERVICE[on_failure.service_of(destination)] if destination else ()
        ):
            self._authorize(
                action, f"{destination}/aws/lambda/" if action == "s3:PutObject" else str(destination)
            )

    # ------------------------------------------------------------------ MappingState, for the workers

    def role_arn(self) -> str:
        return self._role.role_arn

    def authorize_reading(self) -> None:
        self._authorize("kinesis:GetRecords", self.settings.stream_arn)

    def call_function(self, event: bytes) -> InvokeResult:
        return self._functions.invoke(self.settings.function_arn, event)

    def client(self, service: str) -> Any:
        return self._clients.client(service, self._role.credentials())

    def _authorize(self, action: str, resource: str) -> None:
        keys = self._role.credentials()
        self._authorizer.authorize(
            self._sessions.caller_of(keys.access_key, keys.session_token), action, resource
        )

    def _first_position(self, shard: str) -> int:
        if self.settings.starting_position == "LATEST":
            return self._stream.last_sequence(shard)
        if self.settings.starting_position == "AT_TIMESTAMP" and self.settings.starting_timestamp:
            return self._stream.sequence_before(shard, self.settings.starting_timestamp.timestamp())
        return 0


class KinesisMappings:
    """Every mapping of the runtime. Put `wake` into `Gateway.on_kinesis_put`."""

    def __init__(
        self, functions: Functions, sessions: Sessions, authorizer: Authorizer, clients: Clients
    ) -> None:
        self._functions = functions
        self._sessions = sessions
        self._authorizer = authorizer
        self._clients = clients
        self._mappings: dict[str, Mapping] = {}
        self._lock = Lock()

    def create(self, settings: MappingSettings) -> Mapping:
        """Begin to read. FunctionNotFound, TrustDenied, StreamGone, AccessDenied: nothing is made."""
        mapping = Mapping(settings, self._functions, self._sessions, self._authorizer, self._clients)
        mapping.check_access()
        with self._lock:
            self._mappings[settings.uuid] = mapping
        if settings.enabled:
            mapping.start()
        return mapping

    def get(self, uuid: str) -> Mapping | None:
        return self._mappings.get(uuid)

    def find(self, *, function_arn: str | None = None, stream_arn: str | None = None) -> Sequence[Mapping]:
        """The mappings of a function, of a stream, of both, or all."""
        return [
            mapping
            for mapping in list(self._mappings.values())
            if function_arn in (None, mapping.settings.function_arn)
            and stream_arn in (None, mapping.settings.stream_arn)
        ]

    def delete(self, uuid: str) -> Mapping | None:
        """Stop reading; an invocation under way ends by itself."""
        with self._lock:
            mapping = self._mappings.pop(uuid, None)
        if mapping:
            mapping.stop()
            mapping.settings = replace(mapping.settings, enabled=False)
        return mapping

    def wake(self, stream_name: str) -> None:
        """Records were put into a stream."""
        for mapping in list(self._mappings.values()):
            if mapping.settings.stream_name == stream_name:
                mapping.wake()

    def close(self) -> None:
        """End every worker."""
        workers = [worker for mapping in list(self._mappings.values()) for worker in mapping.stop()]
        self._mappings.clear()
        for worker in workers:
            worker.join(_CLOSE_SECONDS)
