"""Stream processors: created, started, described, stopped, deleted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from time import monotonic
from typing import Any, Protocol

from sightline_local.cloud.paging import page
from sightline_local.cloud.rekognition.kept_processors import KeptProcessors, ProcessorState
from sightline_local.cloud.rekognition.position import Position
from sightline_local.cloud.rekognition.processor_request import checked_definition
from sightline_local.cloud.service import ServiceError
from sightline_local.state import FactsNotKeptError

_log = logging.getLogger(__name__)

STOPS_PER_SECOND = 1


class Run(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def join(self, seconds: float) -> None: ...


Report = Callable[[str, str | None], None]
StartRun = Callable[[str, dict[str, Any], Report, Position | None], Run]
"""(processor ARN, definition, report, where it had come to) → a run that is not started yet."""


@dataclass(slots=True)
class _Processor:
    state: ProcessorState
    run: Run | None = field(default=None, repr=False)


class Processors:
    def __init__(
        self, arn_prefix: str, new_run: StartRun, clock: Callable[[], datetime], kept: KeptProcessors
    ) -> None:
        self._arn_prefix = arn_prefix
        self._new_run = new_run
        self._clock = clock
        self._kept = kept
        self._processors: dict[str, _Processor] = {}
        self._next_stop = 0.0
        self._closing = False
        self._lock = RLock()

    def restore(self) -> None:
        with self._lock:
            for state in self._kept.all():
                name = state.definition["Name"]
                self._processors[name] = _Processor(state)
                if state.status == "STOPPING":
                    self._set(self._processors[name], "STOPPED", None)

    def begin(self) -> None:
        """Those that ran when the runtime ended go on where they were."""
        with self._lock:
            for name, processor in self._processors.items():
                if processor.state.status in ("STARTING", "RUNNING"):
                    self._run(processor, self._kept.positions.get(name))

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        definition = checked_definition(params)
        name, now = definition["Name"], self._clock()
        with self._lock:
            if name in self._processors:
                raise ServiceError(
                    "ResourceInUseException", f"A stream processor named {name} already exists."
                )
            self._refuse_shared_streams(definition)
            state = ProcessorState(f"{self._arn_prefix}{name}", definition, now, now)
            self._kept.keep(state)
            self._processors[name] = _Processor(state)
        return {"StreamProcessorArn": state.arn}

    def start(self, params: dict[str, Any]) -> dict[str, Any]:
        if "StartSelector" in params or "StopSelector" in params:
            raise ServiceError(
                "InvalidParameterException", "StartSelector and StopSelector are not for face search."
            )
        with self._lock:
            processor = self._get(params)
            _refuse_unless_it_rests(processor)
            self._kept.positions.forget(params["Name"])
            self._run(processor, None)
        return {}

    def _run(self, processor: _Processor, position: Position | None) -> None:
        self._set(processor, "STARTING", None)
        state, report = processor.state, self._reporter(processor)
        processor.run = self._new_run(state.arn, state.definition, report, position)
        processor.run.start()

    def stop(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._throttle_stops()
            processor = self._get(params)
            if processor.state.status not in ("STARTING", "RUNNING") or processor.run is None:
                raise ServiceError("ResourceInUseException", "Stream Processor not available for stopping")
            self._set(processor, "STOPPING", None)
            run = processor.run
        run.stop()
        return {}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            state = self._get(params).state
        described = {
            **state.definition,
            "StreamProcessorArn": state.arn,
            "Status": state.status,
            "StatusMessage": state.message,
            "CreationTimestamp": state.created_at,
            "LastUpdateTimestamp": state.updated_at,
        }
        return {
            member: value for member, value in described.items() if value is not None and member != "Tags"
        }

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            _refuse_unless_it_rests(self._get(params))
            self._kept.forget(params["Name"])
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
            listed = [{"Name": name, "Status": self._processors[name].state.status} for name in names]
        return {"StreamProcessors": listed} | ({"NextToken": token} if token else {})

    def close(self) -> None:
        """End every run, and wait for it; what ran is kept as running."""
        with self._lock:
            self._closing = True
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
            shared = mine & _streams(processor.state.definition)
            if shared:
                raise ServiceError(
                    "LimitExceededException",
                    f"{min(shared)} is used by the stream processor {processor.state.definition['Name']}; "
                    "a stream can be used by one processor.",
                )

    def _throttle_stops(self) -> None:
        now = monotonic()
        if now < self._next_stop:
            raise ServiceError("ProvisionedThroughputExceededException", "Provisioned rate exceeded")
        self._next_stop = now + 1 / STOPS_PER_SECOND

    def _set(self, processor: _Processor, status: str, message: str | None) -> None:
        state = replace(processor.state, status=status, message=message, updated_at=self._clock())
        if not self._closing:
            self._kept.keep(state)
        processor.state = state

    def _reporter(self, processor: _Processor) -> Report:
        def report(status: str, message: str | None) -> None:
            with self._lock:
                # A stop that was asked for meanwhile is not undone by "it runs now".
                if status == "RUNNING" and processor.state.status != "STARTING":
                    return
                try:
                    self._set(processor, status, message)
                except FactsNotKeptError as error:
                    _log.error("%s is %s, which is not kept: %s", processor.state.arn, status, error)

        return report


def _refuse_unless_it_rests(processor: _Processor) -> None:
    if processor.state.status not in ("STOPPED", "FAILED"):
        raise ServiceError("ResourceInUseException", f"The stream processor is {processor.state.status}.")


def _streams(definition: dict[str, Any]) -> set[str]:
    return {
        definition["Input"]["KinesisVideoStream"]["Arn"],
        definition["Output"]["KinesisDataStream"]["Arn"],
    }
