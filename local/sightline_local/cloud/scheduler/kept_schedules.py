"""Schedules as facts: what was asked for, when they came last, and the calls that are still to be made."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sightline_local.state import Facts

_SCHEDULE, _LAST, _CALL = "scheduler.schedule", "scheduler.last", "scheduler.call"
_DATES = ("StartDate", "EndDate")


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """`deployed`: as the template had it, None if a call made it. `settings`: as it is, None if deleted."""

    name: str
    deployed: dict[str, Any] | None
    settings: dict[str, Any] | None
    created_at: datetime
    modified_at: datetime


class KeptSchedules:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> Iterator[KeptSchedule]:
        for name, value in self._facts.all(_SCHEDULE):
            deployed, settings, created_at, modified_at = json.loads(value)
            moments = datetime.fromisoformat(created_at), datetime.fromisoformat(modified_at)
            yield KeptSchedule(name, _with_dates(deployed), _with_dates(settings), *moments)

    def keep(self, schedule: KeptSchedule) -> None:
        members = [
            schedule.deployed,
            schedule.settings,
            schedule.created_at.isoformat(),
            schedule.modified_at.isoformat(),
        ]
        self._facts.put(_SCHEDULE, schedule.name, json.dumps(members, default=datetime.isoformat).encode())

    def delete(self, name: str, deployed: dict[str, Any] | None, now: datetime) -> None:
        """One of the template is remembered: a deployment that changes nothing does not make it again."""
        if deployed is None:
            self._facts.delete(_SCHEDULE, [name])
        else:
            self.keep(KeptSchedule(name, deployed, None, now, now))


class LastMoments:
    """When a schedule or a rule came last, or was made, by its ARN; another expression begins anew."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def get(self, arn: str, expression: str) -> datetime | None:
        kept = self._facts.get(_LAST, arn)
        if kept is None:
            return None
        before, moment = json.loads(kept)
        return datetime.fromisoformat(moment) if before == expression else None

    def keep(self, arn: str, expression: str, moment: datetime) -> None:
        self._facts.put(_LAST, arn, json.dumps([expression, moment.isoformat()]).encode())

    def forget(self, arn: str) -> None:
        self._facts.delete(_LAST, [arn])


@dataclass(frozen=True, slots=True)
class DueCall:
    """One invocation that is due; `moment` is the one of its next attempt."""

    schedule_arn: str
    target: dict[str, Any]
    due: datetime
    execution_id: str
    attempt: int
    moment: datetime


class KeptCalls:
    """Calls that no function has accepted yet."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> Iterator[DueCall]:
        for execution_id, value in self._facts.all(_CALL):
            arn, target, due, attempt, moment = json.loads(value)
            times = datetime.fromisoformat(due), datetime.fromisoformat(moment)
            yield DueCall(arn, target, times[0], execution_id, attempt, times[1])

    def keep(self, call: DueCall) -> None:
        members = [
            call.schedule_arn,
            call.target,
            call.due.isoformat(),
            call.attempt,
            call.moment.isoformat(),
        ]
        self._facts.put(_CALL, call.execution_id, json.dumps(members).encode())

    def ended(self, execution_id: str) -> None:
        self._facts.delete(_CALL, [execution_id])


def _with_dates(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    return settings and dict(_dated(settings))


def _dated(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        yield name, datetime.fromisoformat(value) if name in _DATES else value
