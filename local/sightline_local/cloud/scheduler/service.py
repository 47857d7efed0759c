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
from sightline_local.cloud.scheduler.series import Series
from sightline_local.cloud.scheduler.target import TargetCalls
from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller, Sessions, TrustDenied
from sightline_local.iam.lending import LentRole

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
    series: Series | None = None


class SchedulerService:
    """A `Service` for the gateway."""

    def __init__(
        self, region: str, account: str, sessions: Sessions, clients: Clients, timetable: Timetable
    ) -> None:
        self._prefix = f"arn:aws:scheduler:{region}:{account}:"
        self._sessions = sessions
        self._timetable = timetable
        self._calls = TargetCalls(clients, timetable)
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

    def close(self) -> None:
        self._calls.close()

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if params["Name"] in self._schedules:
                raise ServiceError("ConflictException", f"Schedule {params['Name']} already exists.", 409)
            now = self._timetable.clock.now()
            arn = f"{self._prefix}schedule/{_GROUP}/{params['Name']}"
            schedule = _Schedule(_settings(params), arn, now, now)
            self._begin(schedule)
            self._schedules[params["Name"]] = schedule
        return {"ScheduleArn": schedule.arn}

    def _update(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is not given goes back to its default, as on AWS."""
        with self._lock:
            schedule = self._find(params)
            changed = _Schedule(
                _settings(params), schedule.arn, schedule.created_at, self._timetable.clock.now()
            )
            self._begin(changed)
            _stop(schedule)
            self._schedules[params["Name"]] = changed
        return {"ScheduleArn": schedule.arn}

    def _delete(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            _stop(self._find(params))
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

    def _begin(self, schedule: _Schedule) -> None:
        settings = schedule.settings
        expression = _expression(settings)
        target = settings["Target"]
        role = LentRole(
            self._sessions,
            target["RoleArn"],
            settings["Name"],
            service="scheduler.amazonaws.com",
            source_arn=f"{self._prefix}schedule-group/{_GROUP}",
        )
        try:
            role.credentials()
        except TrustDenied as error:
            raise ServiceError(
                "ValidationException",
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            ) from error
        if settings["State"] == "ENABLED":
            schedule.series = Series(
                self._timetable,
                expression,
                lambda moment: self._calls.begin(schedule.arn, target, role, moment),
                start=settings.get("StartDate"),
                end=settings.get("EndDate"),
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
    if target["Arn"].split(":")[2:3] != ["lambda"]:
        raise _invalid(f"The local runtime schedules Lambda functions only, not {target['Arn']}")
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
