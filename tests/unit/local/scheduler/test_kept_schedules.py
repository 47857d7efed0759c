"""Schedules with a data directory: those of calls come back, and each goes on where it was."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock, Timetable
from sightline_local.cloud.scheduler import ScheduledRules, SchedulerService
from sightline_local.cloud.scheduler.kept_schedules import KeptCalls
from sightline_local.cloud.service import ServiceError
from sightline_local.functions.invoker import Functions
from sightline_local.iam import Credentials
from sightline_local.state import Facts

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
ROLE = "arn:aws:iam::123456789012:role/r"
CALLER = cast("Any", None)


class FakeSessions:
    def assume(self, role_arn: str, *_: object, **__: object) -> Credentials:
        return Credentials("ASIA", "s", "t", None, role_arn)


class FakeLambda:
    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls: list[bytes] = []
        self.called = threading.Semaphore(0)

    def invoke(self, *, Payload: bytes, **_: object) -> None:  # noqa: N803  boto3's names
        self.calls.append(Payload)
        self.called.release()
        if len(self.calls) <= self.failures:
            raise ClientError({"Error": {"Code": "ServiceException", "Message": "later"}}, "Invoke")


class OneStart:
    """A start of the runtime: the template makes its schedules, then everything is restored and begins."""

    def __init__(self, facts: Facts, now: datetime, template: dict[str, str], failures: int) -> None:
        self.facts = facts
        self.clock = Clock(lambda: now)
        self.timetable = Timetable(self.clock, held=True)
        self.function = FakeLambda(failures)
        clients: Any = self
        sessions: Any = FakeSessions()
        self.service = SchedulerService(
            "us-east-1", "123456789012", sessions, clients, self.timetable, facts=facts
        )
        for name, expression in template.items():
            self("CreateSchedule", Name=name, **settings(expression))
        self.aside = self.service.restore()
        self.timetable.begin()
        self.service.begin()

    def client(self, _service: str, _credentials: Credentials) -> FakeLambda:
        return self.function

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.service.handle(operation, params, CALLER)

    def names(self) -> list[str]:
        return [each["Name"] for each in self("ListSchedules")["Schedules"]]

    def wait_for_call(self) -> str:
        assert self.function.called.acquire(timeout=5)
        return self.function.calls[-1].decode()

    def is_quiet(self) -> bool:
        return not self.function.called.acquire(timeout=0.1)

    def later(self, **by: int) -> None:
        self.clock.advance(timedelta(**by))

    def wait(self, condition: Callable[[], Any]) -> None:
        for _ in range(500):
            if condition():
                return
            threading.Event().wait(0.01)
        raise AssertionError("it did not happen in time")

    def end(self) -> None:
        self.service.close()
        self.timetable.close()
        self.facts.close()


def settings(expression: str, text: str = "<aws.scheduler.scheduled-time>", **more: Any) -> dict[str, Any]:
    target = {"Arn": FUNCTION, "RoleArn": ROLE, "Input": text}
    return {
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
        **more,
    }


Begin = Callable[..., OneStart]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    started: list[OneStart] = []

    def start(now: datetime = NOON, failures: int = 0, **template: str) -> OneStart:
        if started:
            started[-1].end()
        started.append(OneStart(Facts(tmp_path / "facts.sqlite"), now, template, failures))
        return started[-1]

    yield start
    if started:
        started[-1].end()


def test_a_schedule_that_a_call_made_is_there_again_as_it_was(begin: Begin) -> None:
    first = begin()
    start_date = NOON + timedelta(days=1)
    first("CreateSchedule", Name="s", **settings("cron(0 8 * * ? *)", StartDate=start_date))
    described = first("GetSchedule", Name="s")

    second = begin(NOON + timedelta(hours=1))

    assert second("GetSchedule", Name="s") == described
    assert described["StartDate"] == start_date


def test_a_deleted_or_changed_schedule_stays_so(begin: Begin) -> None:
    first = begin()
    first("CreateSchedule", Name="gone", **settings("rate(1 minute)"))
    first("CreateSchedule", Name="s", **settings("rate(1 minute)"))
    first("DeleteSchedule", Name="gone")
    first("UpdateSchedule", Name="s", **settings("rate(1 minute)", State="DISABLED"))

    second = begin()
    assert second.names() == ["s"]
    second.later(minutes=5)
    assert second.is_quiet()


def test_a_rate_goes_on_at_its_distance_from_before_the_restart(begin: Begin) -> None:
    begin(s="rate(1 hour)")

    second = begin(NOON + timedelta(minutes=50), s="rate(1 hour)")
    second.later(minutes=9)
    assert second.is_quiet()
    second.later(minutes=1)
    assert second.wait_for_call() == "2026-05-04T13:00:00Z"


def test_times_that_passed_while_nothing_ran_are_one_call_and_never_a_second(begin: Begin) -> None:
    begin(s="rate(1 hour)")

    late = NOON + timedelta(days=40, minutes=30)
    second = begin(late, s="rate(1 hour)")
    assert second.wait_for_call() == "2026-06-13T12:00:00Z"
    assert second.is_quiet()

    third = begin(late, s="rate(1 hour)")
    assert third.is_quiet()


def test_a_moment_that_passed_while_nothing_ran_comes_once(begin: Begin) -> None:
    first = begin()
    first("CreateSchedule", Name="s", **settings("at(2026-05-04T13:00:00)"))

    second = begin(NOON + timedelta(hours=5))
    assert second.wait_for_call() == "2026-05-04T13:00:00Z"
    second.wait(lambda: not second.facts.all("scheduler.call"))

    assert begin(NOON + timedelta(hours=6)).is_quiet()


def test_a_call_that_was_not_accepted_is_made_after_the_restart_with_its_attempts(begin: Begin) -> None:
    first = begin(failures=99)
    first("CreateSchedule", Name="s", **settings("rate(1 hour)", "<aws.scheduler.attempt-number>"))
    first.later(hours=1)
    assert first.wait_for_call() == "1"
    first.wait(lambda: any(call.attempt == 2 for call in KeptCalls(first.facts).all()))

    second = begin(NOON + timedelta(hours=1, seconds=30))

    assert second.wait_for_call() == "2"
    second.wait(lambda: not second.facts.all("scheduler.call"))


def test_what_a_call_changed_in_a_schedule_of_the_template_stays_until_the_template_changes(
    begin: Begin,
) -> None:
    first = begin(s="rate(1 hour)", t="rate(1 hour)")
    first("UpdateSchedule", Name="s", **settings("rate(2 hours)"))
    first("DeleteSchedule", Name="t")

    second = begin(s="rate(1 hour)", t="rate(1 hour)")
    assert second.names() == ["s"]
    assert second("GetSchedule", Name="s")["ScheduleExpression"] == "rate(2 hours)"

    third = begin(s="rate(3 hours)", t="rate(3 hours)")
    assert third.names() == ["s", "t"]
    assert third("GetSchedule", Name="s")["ScheduleExpression"] == "rate(3 hours)"


def test_a_schedule_that_the_template_has_no_more_is_kept_aside(begin: Begin) -> None:
    begin(s="rate(1 hour)")

    second = begin(NOON + timedelta(hours=2))

    assert (second.aside, second.names()) == (["schedule s"], [])
    assert second.is_quiet()


def test_a_schedule_that_cannot_be_kept_is_not_made(begin: Begin) -> None:
    it = begin()
    it.facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(Exception, match="readonly"):
        it("CreateSchedule", Name="s", **settings("rate(1 hour)"))
    with pytest.raises(ServiceError, match="does not exist"):
        it("GetSchedule", Name="s")


# ---------------------------------------------------------------- rules


class FakeFunctions:
    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.called = threading.Semaphore(0)

    def invoke_later(self, _arn: str, payload: bytes, **_: object) -> None:
        self.events.append(payload)
        self.called.release()


def test_a_rule_goes_on_where_it_was_unless_its_expression_is_another(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")

    def calls_after(now: datetime, expression: str, wait: float = 0.2) -> list[bytes]:
        functions, timetable = FakeFunctions(), Timetable(Clock(lambda: now))
        rules = ScheduledRules(cast("Functions", functions), timetable, facts)
        rules.add("arn:aws:events:r:1:rule/x", expression, [{"Arn": FUNCTION, "Input": "{}"}])
        functions.called.acquire(timeout=wait)
        timetable.close()
        return functions.events

    assert calls_after(NOON, "rate(1 hour)") == []
    assert calls_after(NOON + timedelta(minutes=59), "rate(1 hour)") == []
    assert calls_after(NOON + timedelta(minutes=61), "rate(1 hour)", wait=5) == [b"{}"]
    assert calls_after(NOON + timedelta(minutes=62), "rate(1 hour)") == []
    assert calls_after(NOON + timedelta(hours=9), "rate(2 hours)") == []
    facts.close()
