"""Stream processors: created, started, described, stopped, deleted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from time import monotonic
from typing import Any, Protocol

from sightline_local.cloud.paging import page
from sightline_local.cloud.rekognition.processor_request import checked_definition
from sightline_local.cloud.service import ServiceError

STOPS_PER_SECOND = 1


class Run(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def join(self, seconds: float) -> None: ...


Report = Callable[[str, str | None], None]
StartRun = Callable[[str, dict[str, Any], Report], Run]
"""(processor ARN, definition, report) → a run that is not started yet."""


@dataclass(slots=True)
class _Processor:
    arn: str
    definition: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "STOPPED"
    message: str | None = None
    run: Run | None = field(default=None, repr=False)


class Processors:
    def __init__(self, arn_prefix: str, new_run: StartRun, clock: Callable[[], datetime]) -> None:
        self._arn_prefix = arn_prefix
        self._new_run = new_run
        self._clock = clock
        self._processors: dict[str, _Processor] = {}
        self._next_stop = 0.0
        self._lock = RLock()

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        definition = checked_definition(params)
        name, now = definition["Name"], self._clock()
        with self._lock:
            if name in self._processors:
                raise ServiceError(
                    "ResourceInUseException", f"A stream processor named {name} already exists."
                )
            self._refuse_shared_streams(definition)
            arn = f"{self._arn_prefix}{name}"
            self._processors[name] = _Processor(arn, definition, now, now)
        return {"StreamProcessorArn": arn}

    def start(self, params: dict[str, Any]) -> dict[str, Any]:
        if "StartSelector" in params or "StopSelector" in params:
            raise ServiceError(
                "InvalidParameterException", "StartSelector and StopSelector are not for face search."
            )
        with self._lock:
            processor = self._get(params)
            if processor.status not in ("STOPPED", "FAILED"):
                raise ServiceError("ResourceInUseException", f"The stream processor is {processor.status}.")
            self._set(processor, "STARTING", None)
            report = self._reporter(processor)
            processor.run = self._new_run(processor.arn, processor.definition, report)
            processor.run.start()
        return {}

    def stop(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._throttle_stops()
            processor = self._get(params)
            if processor.status not in ("STARTING", "RUNNING") or processor.run is None:
                raise ServiceError("ResourceInUseException", "Stream Processor not available for stopping")
            self._set(processor, "STOPPING", None)
            run = processor.run
        run.stop()
        return {}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            processor = self._get(params)
            described = {
                **processor.definition,
                "StreamProcessorArn": processor.arn,
                "Status": processor.status,
                "StatusMessage": processor.message,
                "CreationTimestamp": processor.created_at,
                "LastUpdateTimestamp": processor.updated_at,
            }
        return {
            member: value for member, value in described.items() if value is not None and member != "Tags"
        }

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            processor = self._get(params)
            if processor.status not in ("STOPPED", "FAILED"):
                raise ServiceError("ResourceInUseException", f"The stream processor is {processor.status}.")
            del self._processors[params["Name"]]
        return {}

    def list(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            names, token = page(
                sorted(self._processors),
                params.get("NextToken"),
                params.get("MaxResults", 1000),
                error="InvalidPaginationTokenException",
            )
            listed = [{"Name": name, "Status": self._processors[name].status} for name in names]
        return {"StreamProcessors": listed} | ({"NextToken": token} if token else {})

    def close(self) -> None:
        """End every run, and wait for it."""
        with self._lock:
            runs = [processor.run for processor in self._processors.values() if processor.run]
        for run in runs:
            run.stop()
        for run in runs:
            run.join(5.0)

    # ------------------------------------------------------------------ rules

    def _get(self, params: dict[str, Any]) -> _Processor:
        processor = self._processors.get(params["Name"])
        if processor is None:
            raise ServiceError("ResourceNotFoundException", f"There is no stream processor {params['Name']}.")
        return processor

    def _refuse_shared_streams(self, definition: dict[str, Any]) -> None:
        """Set quotas of AWS that nobody can have raised: a stream serves one processor."""
        mine = _streams(definition)
        for processor in self._processors.values():
            shared = mine & _streams(processor.definition)
            if shared:
                raise ServiceError(
                    "LimitExceededException",
                    f"{min(shared)} is used by the stream processor {processor.definition['Name']}; "
                    "a stream can be used by one processor.",
                )

    def _throttle_stops(self) -> None:
        now = monotonic()
        if now < self._next_stop:
            raise ServiceError("ProvisionedThroughputExceededException", "Provisioned rate exceeded")
        self._next_stop = now + 1 / STOPS_PER_SECOND

    def _set(self, processor: _Processor, status: str, message: str | None) -> None:
        processor.status, processor.message, processor.updated_at = status, message, self._clock()

    def _reporter(self, processor: _Processor) -> Report:
        def report(status: str, message: str | None) -> None:
            with self._lock:
                # A stop that was asked for meanwhile is not undone by "it runs now".
                if status == "RUNNING" and processor.status != "STARTING":
                    return
                self._set(processor, status, message)

        return report


def _streams(definition: dict[str, Any]) -> set[str]:
    return {
        definition["Input"]["KinesisVideoStream"]["Arn"],
        definition["Output"]["KinesisDataStream"]["Arn"],
    }
