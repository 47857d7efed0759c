"""Accepted events survive the runtime: in order, with their failures, each at its time."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sightline_local.clock import Clock, Timetable
from sightline_local.functions.asynchronous import EXHAUSTED, SUCCESS, AsyncInvocations, AsyncSettings
from sightline_local.functions.kept_events import AsyncInvocation
from sightline_local.functions.spec import InvokeResult
from sightline_local.state import Facts, FactsNotKeptError

START = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = InvokeResult(b'{"errorMessage": "no"}', True, "r")
DONE = InvokeResult(b'"done"', False, "r")

Answer = Callable[[str, bytes, str], InvokeResult]


class OneStart:
    """One life of the runtime on the facts of `file`; `end` is its kill -9: nothing is said goodbye to."""

    def __init__(self, file: Path, answer: Answer, now: datetime, deployed: tuple[str, ...] = ("f",)) -> None:
        self.facts = Facts(file)
        self.clock = Clock(lambda: now)
        self.timetable = Timetable(self.clock)
        self.calls: list[tuple[str, bytes, str]] = []
        self.called = threading.Semaphore(0)
        self.ends: list[tuple[str, AsyncInvocation]] = []
        self.ended = threading.Semaphore(0)
        self._answer = answer
        self.queue = AsyncInvocations(self._invoke, self.timetable, self.facts, lambda name: name in deployed)
        self.queue.on_end = self._end
        self.aside = self.queue.restore()

    def _invoke(self, name: str, payload: bytes, request_id: str) -> InvokeResult:
        self.calls.append((name, payload, request_id))
        self.called.release()
        return self._answer(name, payload, request_id)

    def _end(self, invocation: AsyncInvocation, _settings: AsyncSettings, condition: str) -> None:
        self.ends.append((condition, invocation))
        self.ended.release()

    def wait_for_call(self) -> None:
        assert self.called.acquire(timeout=5)

    def wait_for_end(self) -> tuple[str, AsyncInvocation]:
        assert self.ended.acquire(timeout=5)
        return self.ends[-1]

    def wait_for_retry(self) -> None:
        deadline = threading.Event()
        for _ in range(500):
            if self.timetable._entries:
                return
            deadline.wait(0.01)
        raise AssertionError("no retry was planned")

    def end(self) -> None:
        self.queue.close()
        self.timetable.close()
        self.facts.close()


Begin = Callable[..., OneStart]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    started: list[OneStart] = []

    def start(
        answer: InvokeResult | Answer = DONE, now: datetime = START, **given: tuple[str, ...]
    ) -> OneStart:
        if started:
            started[-1].end()
        result = answer
        answers = (lambda *_: result) if isinstance(result, InvokeResult) else result
        started.append(OneStart(tmp_path / "facts.sqlite", answers, now, **given))
        return started[-1]

    yield start
    if started:
        started[-1].end()


def test_nothing_is_called_before_the_runtime_begins(begin: Begin) -> None:
    it = begin()
    it.queue.submit("f", b"{}")
    assert not it.called.acquire(timeout=0.05)

    it.queue.begin()
    assert it.wait_for_end()[0] == SUCCESS


def test_events_that_were_accepted_only_come_after_a_restart(begin: Begin) -> None:
    first = begin()
    accepted = [first.queue.submit("f", payload) for payload in (b"1", b"2", b"3")]

    second = begin()
    second.queue.begin()
    for _ in accepted:
        second.wait_for_end()
    assert sorted(second.calls) == sorted(zip("fff", (b"1", b"2", b"3"), accepted, strict=True))


def test_an_event_that_ended_never_comes_again(begin: Begin) -> None:
    first = begin()
    first.queue.begin()
    first.queue.submit("f", b"{}")
    first.wait_for_end()
    for _ in range(500):
        if not first.facts.all("lambda.event"):
            break
        threading.Event().wait(0.01)

    assert begin().facts.all("lambda.event") == []


def test_a_retry_keeps_its_time_and_its_failures_through_a_restart(begin: Begin) -> None:
    first = begin(FAILED)
    first.queue.begin()
    request_id = first.queue.submit("f", b'{"a": 1}')
    first.wait_for_call()
    first.wait_for_retry()

    second = begin(FAILED, START + timedelta(seconds=20))
    second.queue.configure("f", max_retries=1)
    second.queue.begin()
    assert not second.called.acquire(timeout=0.05)
    second.clock.advance(timedelta(seconds=40))
    condition, invocation = second.wait_for_end()

    assert (condition, invocation.failures, invocation.last) == (EXHAUSTED, 2, FAILED)
    assert second.calls == [("f", b'{"a": 1}', request_id)]


def test_an_invocation_that_the_runtime_cut_off_is_no_failure_of_the_function(begin: Begin) -> None:
    may_answer = threading.Event()

    def hang(*_: object) -> InvokeResult:
        may_answer.wait(5)
        return FAILED

    first = begin(hang)
    first.queue.configure("f", max_retries=0)
    first.queue.begin()
    first.queue.submit("f", b"{}")
    first.wait_for_call()

    second = begin()
    may_answer.set()
    second.queue.begin()
    assert second.wait_for_end()[0] == SUCCESS
    assert first.ends == []


def test_events_of_a_function_that_is_not_deployed_any_more_are_kept_aside(begin: Begin) -> None:
    first = begin(deployed=("f", "old"))
    first.queue.submit("old", b"1")
    first.queue.submit("old", b"2")

    second = begin()
    second.queue.begin()
    assert second.aside == ["events of the function old: 2"]
    assert not second.called.acquire(timeout=0.05)

    third = begin(deployed=("f", "old"))
    third.queue.begin()
    third.wait_for_end()
    third.wait_for_end()
    assert third.aside == []


def test_an_event_that_cannot_be_kept_is_not_accepted(begin: Begin) -> None:
    it = begin()
    it.queue.begin()
    it.facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(FactsNotKeptError):
        it.queue.submit("f", b"{}")
    assert not it.called.acquire(timeout=0.05)
