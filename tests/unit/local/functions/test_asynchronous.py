"""Asynchronous invocations: retries on the clock, age, and what is told at the end."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sightline_local.clock import Clock, Timetable
from sightline_local.functions.asynchronous import (
    EXHAUSTED,
    SUCCESS,
    TOO_OLD,
    AsyncInvocations,
    AsyncSettings,
)
from sightline_local.functions.destinations import Destinations
from sightline_local.functions.kept_events import AsyncInvocation
from sightline_local.functions.spec import FunctionNotFound, InvokeResult, TooManyInvocations

START = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = InvokeResult(b'{"errorMessage": "no", "errorType": "ValueError"}', True, "r")
DONE = InvokeResult(b'"done"', False, "r")


class Function:
    """Answers with what it was given, one after the other; the last goes on for ever."""

    def __init__(self, *answers: InvokeResult | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, bytes, str]] = []
        self.called = threading.Semaphore(0)

    def invoke(self, name: str, payload: bytes, request_id: str) -> InvokeResult:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.calls.append((name, payload, request_id))
        self.called.release()
        if isinstance(answer, Exception):
            raise answer
        return answer


class World:
    def __init__(self, function: Function) -> None:
        self.clock = Clock(lambda: START)
        self.timetable = Timetable(self.clock)
        self.function = function
        self.queue = AsyncInvocations(function.invoke, self.timetable)
        self.ends: list[tuple[str, AsyncInvocation]] = []
        self.ended = threading.Semaphore(0)
        self.queue.on_end = self._end

    def _end(self, invocation: AsyncInvocation, _settings: AsyncSettings, condition: str) -> None:
        self.ends.append((condition, invocation))
        self.ended.release()

    def wait_for_call(self) -> None:
        assert self.function.called.acquire(timeout=5)

    def wait_for_end(self) -> tuple[str, AsyncInvocation]:
        assert self.ended.acquire(timeout=5)
        return self.ends[-1]

    def later(self, seconds: float) -> None:
        """Move the clock once the retry is on the timetable."""
        for _ in range(500):
            if self.timetable._entries:
                break
            threading.Event().wait(0.01)
        self.clock.advance(timedelta(seconds=seconds))


Make = Callable[..., World]


@pytest.fixture
def world() -> Iterator[Make]:
    made: list[World] = []

    def make(*answers: InvokeResult | Exception) -> World:
        made.append(World(Function(*answers)))
        return made[-1]

    yield make
    for each in made:
        each.queue.close()
        each.timetable.close()


def test_a_function_that_succeeds_is_called_once(world: Make) -> None:
    it = world(DONE)
    it.queue.submit("f", b"{}")
    assert it.wait_for_end()[0] == SUCCESS
    assert len(it.function.calls) == 1


def test_a_function_that_fails_is_called_again_after_one_and_two_minutes(world: Make) -> None:
    it = world(FAILED)
    request_id = it.queue.submit("f", b'{"a": 1}')
    it.wait_for_call()
    it.later(59)
    assert not it.function.called.acquire(timeout=0.05)
    it.later(1)
    it.wait_for_call()
    it.later(119)
    assert not it.function.called.acquire(timeout=0.05)
    it.later(1)

    condition, invocation = it.wait_for_end()

    assert (condition, invocation.failures) == (EXHAUSTED, 3)
    assert it.function.calls == [("f", b'{"a": 1}', request_id)] * 3


def test_fewer_retries_may_be_asked_for(world: Make) -> None:
    it = world(FAILED)
    it.queue.configure("f", max_retries=0)
    it.queue.submit("f", b"{}")
    assert it.wait_for_end()[0] == EXHAUSTED
    assert len(it.function.calls) == 1


def test_a_retry_that_would_come_too_late_is_not_made(world: Make) -> None:
    it = world(FAILED)
    it.queue.configure("f", max_age_seconds=90)
    it.queue.submit("f", b"{}")
    it.wait_for_call()
    it.later(60)
    assert it.wait_for_end()[0] == TOO_OLD
    assert len(it.function.calls) == 2


def test_a_function_without_room_is_tried_again_and_uses_up_no_retry(world: Make) -> None:
    it = world(TooManyInvocations("busy"), TooManyInvocations("busy"), DONE)
    it.queue.configure("f", max_retries=0)
    it.queue.submit("f", b"{}")
    it.wait_for_call()
    it.later(1)
    it.wait_for_call()
    it.later(2)
    condition, invocation = it.wait_for_end()
    assert (condition, invocation.failures, invocation.refusals) == (SUCCESS, 0, 2)


def test_a_function_that_is_gone_ends_its_events(world: Make) -> None:
    it = world(FunctionNotFound("f"))
    it.queue.submit("f", b"{}")
    assert it.wait_for_end()[0] == EXHAUSTED


def test_a_function_that_takes_its_time_holds_up_no_other() -> None:
    slow_may_end, quick_ran = threading.Event(), threading.Event()

    def invoke(name: str, _payload: bytes, _request_id: str) -> InvokeResult:
        if name == "slow":
            slow_may_end.wait(5)
        else:
            quick_ran.set()
        return DONE

    timetable = Timetable(Clock())
    queue = AsyncInvocations(invoke, timetable)
    for _ in range(100):
        queue.submit("slow", b"{}")
    queue.submit("quick", b"{}")

    assert quick_ran.wait(5)
    queue.close()
    timetable.close()
    slow_may_end.set()


class FakeClient:
    def __init__(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        self._calls = calls
        self.meta = type("Meta", (), {"endpoint_url": "http://aws"})()

    def __getattr__(self, operation: str) -> Callable[..., None]:
        return lambda **given: self._calls.append((operation, given))


ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead"


def told(
    settings: AsyncSettings, condition: str, last: InvokeResult | None
) -> list[tuple[str, dict[str, Any]]]:
    calls: list[tuple[str, dict[str, Any]]] = []
    destinations = Destinations(lambda *_: FakeClient(calls), lambda _name: ARN, lambda: START)
    invocation = AsyncInvocation("f", b'{"a": 1}', "r-1", START, failures=3, last=last)
    destinations.tell(invocation, settings, condition)
    return calls


def test_a_destination_gets_the_record_that_aws_documents() -> None:
    ((operation, given),) = told(AsyncSettings(on_failure=QUEUE), EXHAUSTED, FAILED)

    assert (operation, given["QueueUrl"]) == ("send_message", "http://aws/123456789012/dead")
    assert json.loads(given["MessageBody"]) == {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": "r-1",
            "functionArn": f"{ARN}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no", "errorType": "ValueError"},
    }


def test_a_dead_letter_queue_gets_the_event_and_the_reason() -> None:
    ((operation, given),) = told(AsyncSettings(dead_letter=QUEUE), EXHAUSTED, FAILED)

    assert (operation, given["MessageBody"]) == ("send_message", '{"a": 1}')
    assert {name: each["StringValue"] for name, each in given["MessageAttributes"].items()} == {
        "RequestID": "r-1",
        "ErrorCode": "200",
        "ErrorMessage": "no",
    }


def test_success_is_told_to_its_own_destination_only() -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:good"
    settings = AsyncSettings(on_success=topic, on_failure=QUEUE, dead_letter=QUEUE)

    ((operation, given),) = told(settings, SUCCESS, DONE)

    assert (operation, given["TopicArn"]) == ("publish", topic)
    assert json.loads(given["Message"])["responsePayload"] == "done"


def test_a_bucket_gets_the_record_under_function_and_day() -> None:
    ((operation, given),) = told(AsyncSettings(on_failure="arn:aws:s3:::b"), TOO_OLD, None)

    assert (operation, given["Bucket"]) == ("put_object", "b")
    assert given["Key"].startswith("aws/lambda/async/f/2026/01/01/2026-01-01T00.00.00-")
    assert "responsePayload" not in json.loads(given["Body"])
