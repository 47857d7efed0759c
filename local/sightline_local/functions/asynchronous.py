"""Invocations that nobody waits for: queued, tried again, and in the end handed on or dropped.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from sightline_local.clock import Timetable
from sightline_local.functions.kept_events import AsyncInvocation, KeptEvents
from sightline_local.functions.spec import FunctionNotFound, InvokeResult, TooManyInvocations
from sightline_local.functions.warm_parent import WarmParentGone
from sightline_local.state import Facts, FactsNotKeptError

_logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = (60.0, 120.0)  # after a function that failed
_THROTTLED_AFTER_SECONDS = 1.0  # after a function that could not be called, doubling
_LONGEST_THROTTLED_SECONDS = 300.0
_WORKERS_PER_FUNCTION = 8  # as many as it has sandboxes; a function that takes its time holds up no other

SUCCESS, EXHAUSTED, TOO_OLD = "Success", "RetriesExhausted", "EventAgeExceeded"


@dataclass(frozen=True, slots=True)
class AsyncSettings:
    """EventInvokeConfig and DeadLetterConfig of a function, with Lambda's defaults."""

    max_retries: int = 2
    max_age_seconds: int = 6 * 3600
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None


Ended = Callable[[AsyncInvocation, AsyncSettings, str], None]  # the third is the condition


def _only_log(invocation: AsyncInvocation, _settings: AsyncSettings, condition: str) -> None:
    if condition != SUCCESS:
        _logger.error("asynchronous invocation of %s dropped: %s", invocation.function_name, condition)


class AsyncInvocations:
    """InvocationType Event. `on_end` is told of every event's end.

    With facts that are kept, events wait until `restore` has brought those of the last start, and `begin`.
    """

    def __init__(
        self,
        invoke: Callable[[str, bytes, str], InvokeResult],
        timetable: Timetable,
        facts: Facts | None = None,
        is_deployed: Callable[[str], bool] = lambda _name: True,
    ) -> None:
        self._invoke = invoke
        self._timetable = timetable
        self._kept = KeptEvents(facts or Facts.none())
        self._is_deployed = is_deployed
        self._held: list[AsyncInvocation] | None = [] if facts and facts.keeps else None
        self._executors: dict[str, ThreadPoolExecutor] = {}
        self._settings: dict[str, AsyncSettings] = {}
        self._lock = Lock()
        self._closed = False
        self.on_end: Ended = _only_log

    def restore(self) -> list[str]:
        """Take up the events of the last start; return what waits for functions that are not there."""
        aside = Counter[str]()
        for invocation, moment in self._kept.all():
            if self._is_deployed(invocation.function_name):
                self._queue_at(moment, invocation)
            else:
                aside[invocation.function_name] += 1
        return [f"events of the function {name}: {count}" for name, count in sorted(aside.items())]

    def begin(self) -> None:
        with self._lock:
            held, self._held = self._held or [], None
        for invocation in held:
            self._queue(invocation)

    def configure(self, function_name: str, **changes: object) -> None:
        """Set some of a function's settings; the others stay."""
        with self._lock:
            before = self._settings.get(function_name, AsyncSettings())
            self._settings[function_name] = replace(before, **changes)  # type: ignore[arg-type]

    def settings(self, function_name: str) -> AsyncSettings:
        return self._settings.get(function_name, AsyncSettings())

    def submit(self, function_name: str, payload: bytes) -> str:
        """Accept an event; return its request id, which all its attempts share."""
        request_id = str(uuid.uuid4())
        invocation = AsyncInvocation(function_name, payload, request_id, self._timetable.clock.now())
        self._kept.accept(invocation)
        self._queue(invocation)
        return request_id

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for executor in self._executors.values():
                executor.shutdown(wait=False, cancel_futures=True)

    def _queue(self, invocation: AsyncInvocation) -> None:
        name = invocation.function_name
        with self._lock:
            if self._closed:
                return
            if self._held is not None:
                self._held.append(invocation)
                return
            if name not in self._executors:
                self._executors[name] = ThreadPoolExecutor(_WORKERS_PER_FUNCTION, f"async-{name}")
            self._executors[name].submit(self._attempt, invocation)

    def _attempt(self, invocation: AsyncInvocation) -> None:
        try:
            if self._is_too_old(invocation, timedelta()):
                self._end(invocation, TOO_OLD)
                return
            result = self._invoke(invocation.function_name, invocation.payload, invocation.request_id)
        except FunctionNotFound:
            self._end(invocation, EXHAUSTED)
        except (TooManyInvocations, WarmParentGone, FactsNotKeptError) as error:
            _logger.warning("asynchronous invocation of %s: %s", invocation.function_name, error)
            self._again_when_there_is_room(invocation)
        except Exception:  # an executor would keep it to itself
            _logger.exception("asynchronous invocation of %s", invocation.function_name)
        else:
            self._after(replace(invocation, last=result), result)

    def _after(self, invocation: AsyncInvocation, result: InvokeResult) -> None:
        if self._closed:
            return  # the runtime's end, not the function's failure
        if not result.error:
            self._end(invocation, SUCCESS)
            return
        failed = replace(invocation, failures=invocation.failures + 1)
        settings = self.settings(invocation.function_name)
        if failed.failures > settings.max_retries:
            self._end(failed, EXHAUSTED)
            return
        self._again(failed, RETRY_AFTER_SECONDS[min(invocation.failures, len(RETRY_AFTER_SECONDS) - 1)])

    def _again_when_there_is_room(self, invocation: AsyncInvocation) -> None:
        pause = min(_THROTTLED_AFTER_SECONDS * 2.0**invocation.refusals, _LONGEST_THROTTLED_SECONDS)
        self._again(replace(invocation, refusals=invocation.refusals + 1), pause)

    def _again(self, invocation: AsyncInvocation, seconds: float) -> None:
        if self._is_too_old(invocation, timedelta(seconds=seconds)):
            self._end(invocation, TOO_OLD)
        else:
            moment = self._timetable.clock.now() + timedelta(seconds=seconds)
            self._kept.again(invocation, moment)
            self._queue_at(moment, invocation)

    def _queue_at(self, moment: datetime, invocation: AsyncInvocation) -> None:
        if moment <= self._timetable.clock.now():
            self._queue(invocation)
        else:
            self._timetable.at(moment, lambda: self._queue(invocation))

    def _is_too_old(self, invocation: AsyncInvocation, later: timedelta) -> bool:
        age = self._timetable.clock.now() + later - invocation.accepted_at
        return age.total_seconds() > self.settings(invocation.function_name).max_age_seconds

    def _end(self, invocation: AsyncInvocation, condition: str) -> None:
        self.on_end(invocation, self.settings(invocation.function_name), condition)
        self._kept.ended(invocation)
