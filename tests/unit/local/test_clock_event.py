"""Events whose time passes by the runtime's clock."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from sightline_local.clock import Clock
from sightline_local.statemachine.clock_event import ClockEvent, ClockThread

AN_HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Clock(lambda: noon)


def in_background(action: object) -> threading.Thread:
    thread = threading.Thread(target=action)  # type: ignore[arg-type]
    thread.start()
    time.sleep(0.02)
    return thread


def test_an_event_that_is_set_ends_the_wait(clock: Clock) -> None:
    event, heard = ClockEvent(clock), []
    waiting = in_background(lambda: heard.append(event.wait(AN_HOUR)))
    event.set()
    waiting.join(5)
    assert heard == [True]
    assert event.wait(0)


def test_setting_and_clearing_at_once_wakes_whoever_waits(clock: Clock) -> None:
    event, heard = ClockEvent(clock), []
    waiting = in_background(lambda: heard.append(event.wait(AN_HOUR)))
    event.set()
    event.clear()
    waiting.join(5)
    assert heard == [True]
    assert not event.is_set()


def test_time_is_over_when_the_clock_is_moved_past_it_and_not_before(clock: Clock) -> None:
    event, heard = ClockEvent(clock), []
    waiting = in_background(lambda: heard.append(event.wait(AN_HOUR)))
    clock.advance(timedelta(seconds=AN_HOUR - 1))
    time.sleep(0.02)
    assert heard == []
    clock.advance(timedelta(seconds=1))
    waiting.join(5)
    assert heard == [False]


def test_a_pause_ends_when_what_it_is_for_is_over(clock: Clock) -> None:
    event, running = ClockEvent(clock), [True]
    waiting = in_background(lambda: event.wait_while(lambda: running[0], AN_HOUR))
    event.set()
    time.sleep(0.02)
    assert waiting.is_alive()
    running[0] = False
    event.set()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_thread_is_joined_by_the_clock(clock: Clock) -> None:
    gate = threading.Event()
    worker = ClockThread(clock, target=gate.wait, daemon=True)
    worker.start()
    joining = in_background(lambda: worker.join(AN_HOUR))
    assert joining.is_alive()
    clock.advance(timedelta(seconds=AN_HOUR))
    joining.join(5)
    assert worker.is_alive()
    gate.set()
    worker.join(5)
    assert not worker.is_alive()
