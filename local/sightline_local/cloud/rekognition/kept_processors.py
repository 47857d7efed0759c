"""Stream processors as facts."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline_local.cloud.rekognition.position import Positions
from sightline_local.state import Facts

_KIND = "rekognition.processor"


@dataclass(frozen=True, slots=True)
class ProcessorState:
    """What DescribeStreamProcessor tells."""

    arn: str
    definition: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "STOPPED"
    message: str | None = None


class KeptProcessors:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.positions = Positions(facts)

    def all(self) -> list[ProcessorState]:
        return [_read(value) for _, value in self._facts.all(_KIND)]

    def keep(self, state: ProcessorState) -> None:
        members = [
            state.arn,
            state.definition,
            state.created_at.isoformat(),
            state.updated_at.isoformat(),
            state.status,
            state.message,
        ]
        self._facts.put(_KIND, state.definition["Name"], json.dumps(members).encode())

    def forget(self, name: str) -> None:
        with self._facts.transaction():
            self._facts.delete(_KIND, [name])
            self.positions.forget(name)


def _read(value: bytes) -> ProcessorState:
    arn, definition, created_at, updated_at, status, message = json.loads(value)
    moments = datetime.fromisoformat(created_at), datetime.fromisoformat(updated_at)
    return ProcessorState(arn, definition, *moments, status, message)
