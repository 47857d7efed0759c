"""Moto's state machines go by the runtime's clock.

Moto sleeps in real time, cannot be woken from a retry's interval, and reads timestamps (UTC) against the
local time of day.
"""

import datetime as dt
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

from jsonata.timebox import Timebox
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval import environment
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.asl.eval.event import event_manager
from moto.stepfunctions.parser.backend import execution

from sightline_local.clock import Clock
from sightline_local.cloud.patches import original_of, replace
from sightline_local.statemachine.clock_event import ClockEvent, ClockThread, pause


def wait_by(clock: Clock) -> None:
    """Waits, retries' intervals, time-outs and heartbeats end when the clock says so."""
    event = partial(ClockEvent, clock)
    for module in (execute_state, environment):
        replace(module, "threading", SimpleNamespace(**{**vars(threading), "Event": event}))
    replace(callback, "Event", event)
    replace(
        program, "threading", SimpleNamespace(**{**vars(threading), "Thread": partial(ClockThread, clock)})
    )
    replace(WaitFunction, "_wait_interval", lambda _self, env, wait_seconds: pause(env, wait_seconds))
    _pause_before_retries()
    _wait_until_timestamps(clock)


def _pause_before_retries() -> None:
    original = original_of(retrier_decl.RetrierDecl, "_eval_body")
    running = threading.local()

    def eval_body(self: Any, env: Any) -> None:
        running.env = env
        original(self, env)

    replace(retrier_decl.RetrierDecl, "_eval_body", eval_body)
    replace(retrier_decl, "time", SimpleNamespace(sleep=lambda seconds: pause(running.env, seconds)))


def _wait_until_timestamps(clock: Clock) -> None:
    """RFC 3339 in full: fractions of a second and offsets count."""

    def seconds_left(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        moment = _moment(text)
        if moment is None:
            raise execute_state.FailureEventException(self._create_failure_event(env, text))
        return (moment - clock.now()).total_seconds()

    replace(Timestamp, "_from_timestamp_string", staticmethod(_moment))
    replace(Timestamp, "_get_wait_seconds", seconds_left)


def _moment(text: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text) if "T" in text else None
    except (TypeError, ValueError):
        return None
    return moment if moment and moment.tzinfo else None


def date_by(clock: Clock) -> None:
    """Executions, their history, $states.context, $now() and $millis() tell the clock's time."""

    class Now(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            moment = clock.now()
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

    dates = SimpleNamespace(**{**vars(dt), "datetime": Now})
    for module in (models, state, event_manager, execution):
        replace(module, "datetime", dates)
    millis = staticmethod(lambda: int(clock.now().timestamp() * 1000))
    replace(Timebox, "current_milli_time", millis)
