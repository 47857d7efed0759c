"""Time that tests can move, and what is done at its moment."""

import threading
from datetime import UTC, datetime, timedelta

from sightline_local.clock import Clock, Timetable

START = datetime(2026, 1, 1, tzinfo=UTC)


def a_timetable() -> tuple[Clock, Timetable]:
    clock = Clock(lambda: START)
    return clock, Timetable(clock)


def test_a_clock_is_as_much_later_as_it_was_moved() -> None:
    clock = Clock(lambda: START)
    clock.advance(timedelta(minutes=1))
    clock.advance(timedelta(seconds=1))
    assert clock.now() == START + timedelta(seconds=61)


def test_things_are_done_in_the_order_of_their_moments_once_the_clock_is_there() -> None:
    clock, timetable = a_timetable()
    done: list[int] = []
    both = threading.Event()

    def last() -> None:
        done.append(20)
        both.set()

    timetable.after(20, last)
    timetable.after(10, lambda: done.append(10))
    timetable.after(30, lambda: done.append(30))
    assert not both.wait(0.05)

    clock.advance(timedelta(seconds=25))

    assert both.wait(5)
    assert done == [10, 20]
    timetable.close()


def test_what_is_past_is_done_at_once() -> None:
    _, timetable = a_timetable()
    done = threading.Event()
    timetable.at(START - timedelta(days=1), done.set)
    assert done.wait(5)
    timetable.close()


def test_a_closed_timetable_does_nothing_more() -> None:
    clock, timetable = a_timetable()
    done = threading.Event()
    timetable.after(10, done.set)
    timetable.close()
    clock.advance(timedelta(hours=1))
    timetable.after(0, done.set)
    assert not done.wait(0.05)


def test_an_action_that_fails_takes_nobody_elses_time_away() -> None:
    _, timetable = a_timetable()
    done = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    timetable.after(0, fail)
    timetable.after(0, done.set)

    assert done.wait(5)
    timetable.close()
