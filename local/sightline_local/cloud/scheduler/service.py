"""The API of EventBridge Scheduler: schedules of the group `default` whose target is a Lambda function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sightline_local.clock import Timetable
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.scheduler.expressions import Expression, InvalidExpression, parse
from sightline_local.cloud.scheduler.kept_schedules import KeptSchedule, KeptSchedules, LastMoments
from sightline_local.cloud.scheduler.series import Series
from sightline_local.cloud.scheduler.target import TargetCalls
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller, Sessions, TrustDenied
from sightline_local.iam.lending import LentRole
from sightline_local.state import Facts

_GROUP = "default"
_SETTINGS = (
    *("Name", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate"),
    *("State", "Target", "FlexibleTimeWindow", "ActionAfterCompletion"),
)
_TARGET_MEMBERS = frozenset(("Arn", "RoleArn", "Input", "RetryPolicy", "DeadLetterConfig"))


@dataclass(slots=True)
class _Schedule:
    settings: dict[str, Any]
    arn: str
    created_at: datetime
    modified_at: datetime
    deployed: dict[str, Any] | None = None  # as the template has it; None for one that a call made
    series: Series | None = None


class SchedulerService:
    """A `Service` for the gateway. Until `restore` it is the template that makes schedules."""

    def __init__(
        self,
        region: str,
        account: str,
        sessions: Sessions,
        clients: Clients,
        timetable: Timetable,
        *,
        facts: Facts | None = None,
    ) -> None:
        self._facts = facts or Facts.none()
        self._prefix = f"arn:aws:scheduler:{region}:{account}:"
        self._sessions = sessions
        self._timetable = timetable
        self._calls = TargetCalls(clients, timetable, self._lend, self._facts)
        self._kept = KeptSchedules(self._facts)
        self._last = LastMoments(self._facts)
        self._roles: dict[tuple[str, str], LentRole] = {}
        self._is_restored = not self._facts.keeps
        self._schedules: dict[str, _Schedule] = {}
        self._lock = Lock()
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateSchedule": self._create,
            "GetSchedule": self._get,
            "UpdateSchedule": self._update,
            "DeleteSchedule": self._delete,
            "ListSchedules": self._list,
        }

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002
        if operation not in self._operations:
            raise unknown_operation("scheduler", operation)
        check_input("scheduler", operation, params, error="ValidationException")
        if params.get("GroupName", _GROUP) != _GROUP:
            raise _not_found(f"Schedule group {params['GroupName']} does not exist.")
        return self._operations[operation](params)

    def restore(self) -> list[str]:
        """Put back what calls made and changed, unless the template says something else by now."""
        aside: list[str] = []
        with self._lock:
            for kept in list(self._kept.all()):
                schedule = self._schedules.get(kept.name)
                if schedule is None and kept.deployed is not None:
                    aside.append(f"schedule {kept.name}")
                elif schedule is None or schedule.settings == kept.deployed:
                    self._put_back(kept)
            for schedule in self._schedules.values():
                if schedule.deployed is schedule.settings:  # as this deployment made it
                    self._keep(schedule)
            self._is_restored = True
        self._calls.restore()
        return aside

    def begin(self) -> None:
        """The timetable, on which schedules are, begins by itself."""

    def close(self) -> None:
        self._calls.close()

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if params["Name"] in self._schedules:
                raise ServiceError("ConflictException", f"Schedule {params['Name']} already exists.", 409)
            now, settings = self._timetable.clock.now(), _settings(params)
            arn = f"{self._prefix}schedule/{_GROUP}/{params['Name']}"
            schedule = _Schedule(settings, arn, now, now, None if self._is_restored else settings)
            self._place(schedule)
        return {"ScheduleArn": schedule.arn}

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is not given goes back to its default, as on AWS."""
        with self._lock:
            before, now = self._find(params), self._timetable.clock.now()
            changed = _Schedule(_settings(params), before.arn, before.created_at, now, before.deployed)
            self._place(changed)
            _stop(before)
        return {"ScheduleArn": changed.arn}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            schedule = self._find(params)
            with self._facts.transaction():
                self._last.forget(schedule.arn)
                self._kept.delete(params["Name"], schedule.deployed, self._timetable.clock.now())
            _stop(schedule)
            del self._schedules[params["Name"]]
        return {}

    def _get(self, params: dict[str, Any]) -> dict[str, Any]:
        return {**_described(self._find(params)), **self._find(params).settings}

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix, state = params.get("NamePrefix", ""), params.get("State")
        return {
            "Schedules": [
                {
                    **_described(schedule),
                    "Name": name,
                    "State": schedule.settings["State"],
                    "Target": {"Arn": schedule.settings["Target"]["Arn"]},
                }
                for name, schedule in sorted(self._schedules.items())
                if name.startswith(prefix) and state in (None, schedule.settings["State"])
            ]
        }

    def _find(self, params: Mapping[str, Any]) -> _Schedule:
        schedule = self._schedules.get(params["Name"])
        if schedule is None:
            raise _not_found(f"Schedule {params['Name']} does not exist.")
        return schedule

    def _place(self, schedule: _Schedule) -> None:
        """Check it, keep it, let it begin."""
        settings, expression = schedule.settings, _expression(schedule.settings)
        try:
            self._role(settings["Name"], settings["Target"]["RoleArn"]).credentials()
        except TrustDenied as error:
            raise ServiceError(
                "ValidationException",
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            ) from error
        if self._is_restored:
            self._keep(schedule)
        self._schedules[settings["Name"]] = schedule
        self._begin(schedule, expression, None)

    def _put_back(self, kept: KeptSchedule) -> None:
        made = self._schedules.pop(kept.name, None)
        if made:
            _stop(made)
        if kept.settings is None:
            return
        arn = f"{self._prefix}schedule/{_GROUP}/{kept.name}"
        schedule = _Schedule(kept.settings, arn, kept.created_at, kept.modified_at, kept.deployed)
        self._schedules[kept.name] = schedule
        since = self._last.get(arn, _timing(kept.settings)) or kept.modified_at
        self._begin(schedule, _expression(kept.settings), since)

    def _begin(self, schedule: _Schedule, expression: Expression, since: datetime | None) -> None:
        settings = schedule.settings
        if settings["State"] == "ENABLED":
            schedule.series = Series(
                self._timetable,
                expression,
                lambda moment: self._come(schedule, moment),
                start=settings.get("StartDate"),
                end=settings.get("EndDate"),
                since=since,
            )

    def _come(self, schedule: _Schedule, moment: datetime) -> None:
        with self._facts.transaction():
            self._last.keep(schedule.arn, _timing(schedule.settings), moment)
            self._calls.begin(schedule.arn, schedule.settings["Target"], moment)

    def _keep(self, schedule: _Schedule) -> None:
        """As it is now; its times count from now on, too."""
        settings, moments = schedule.settings, (schedule.created_at, schedule.modified_at)
        with self._facts.transaction():
            self._kept.keep(KeptSchedule(settings["Name"], schedule.deployed, settings, *moments))
            self._last.keep(schedule.arn, _timing(settings), schedule.modified_at)

    def _lend(self, schedule_arn: str, role_arn: str) -> LentRole:
        """The role as the calls of the schedule use it."""
        name = schedule_arn.rpartition("/")[2]
        if (name, role_arn) not in self._roles:
            self._roles[name, role_arn] = self._role(name, role_arn)
        return self._roles[name, role_arn]

    def _role(self, name: str, role_arn: str) -> LentRole:
        return LentRole(
            self._sessions,
            role_arn,
            name,
            service="scheduler.amazonaws.com",
            source_arn=f"{self._prefix}schedule-group/{_GROUP}",
        )


def _settings(params: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_emulated(params)
    given = {name: params[name] for name in _SETTINGS if params.get(name) is not None}
    policy = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    target = {**given["Target"], "RetryPolicy": {**policy, **given["Target"].get("RetryPolicy", {})}}
    defaults = {"State": "ENABLED", "ScheduleExpressionTimezone": "UTC", "ActionAfterCompletion": "NONE"}
    return {**defaults, **given, "Target": target}


def _refuse_what_is_not_emulated(params: Mapping[str, Any]) -> None:
    target = params["Target"]
    if target["Arn"].split(":")[2:3] not in (["lambda"], ["states"]):
        raise _invalid(
            f"The local runtime schedules Lambda functions and state machines only, not {target['Arn']}"
        )
    if unknown := sorted(target.keys() - _TARGET_MEMBERS):
        raise _invalid(f"The local runtime does not emulate {', '.join(unknown)} of a target")
    if params["FlexibleTimeWindow"]["Mode"] != "OFF":
        raise _invalid("The local runtime emulates FlexibleTimeWindow OFF only")
    if params.get("ActionAfterCompletion", "NONE") != "NONE":
        raise _invalid("The local runtime emulates ActionAfterCompletion NONE only")


def _expression(settings: Mapping[str, Any]) -> Expression:
    try:
        return parse(settings["ScheduleExpression"], settings["ScheduleExpressionTimezone"])
    except InvalidExpression as error:
        raise _invalid(str(error)) from error


def _timing(settings: Mapping[str, Any]) -> str:
    return f"{settings['ScheduleExpression']} {settings['ScheduleExpressionTimezone']}"


def _stop(schedule: _Schedule) -> None:
    if schedule.series:
        schedule.series.stop()


def _described(schedule: _Schedule) -> dict[str, Any]:
    return {
        "Arn": schedule.arn,
        "GroupName": _GROUP,
        "CreationDate": schedule.created_at,
        "LastModificationDate": schedule.modified_at,
    }


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404)
