"""How a batch is delivered: partial failures, bisecting, retries, age."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_local.triggers.delivery import Attempted, Delivery, Outcome
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.records import StreamRecord

NOW = 1_800_000_000.0
DAY = 86_400


def settings(**changes: Any) -> MappingSettings:
    return MappingSettings(
        uuid="u",
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
        source_arn="arn:aws:kinesis:us-east-1:123456789012:stream/s",
        starting_position="TRIM_HORIZON",
        **changes,
    )


def batch(data: str, age: float = 0) -> list[StreamRecord]:
    """A record per letter."""
    return [StreamRecord("shard", n, "k", letter, NOW - age) for n, letter in enumerate(data, 1)]


def text(records: Sequence[StreamRecord]) -> str:
    return "".join(record.data for record in records)


class FakeCarrier:
    """Notes what is invoked, given up and waited for."""

    def __init__(self, behaviour: Callable[[str], Outcome], stop_after_pauses: int = 10_000) -> None:
        self._behaviour = behaviour
        self._stop_after = stop_after_pauses
        self.invoked: list[str] = []
        self.given_up: list[tuple[str, str, int]] = []
        self.pauses: list[float] = []

    def invoke(self, records: Sequence[StreamRecord]) -> Outcome:
        self.invoked.append(text(records))
        return self._behaviour(text(records))

    def give_up(self, part: Attempted, condition: str) -> None:
        self.given_up.append((text(part.records), condition, part.invocations))

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return len(self.pauses) >= self._stop_after

    def now(self) -> float:
        return NOW


def reporting(bad: str) -> Callable[[str], Outcome]:
    """A function that reports the first bad record of its batch."""
    return lambda data: Outcome(next((i for i, letter in enumerate(data) if letter in bad), None))


def throwing(bad: str) -> Callable[[str], Outcome]:
    """A function that fails as a whole when a bad record is in its batch."""
    return lambda data: Outcome(0, function_error=True) if set(bad) & set(data) else Outcome(None)


def deliver(data: str, carrier: FakeCarrier, *, age: float = 0, **changes: Any) -> tuple[bool, list[int]]:
    checkpoints: list[int] = []
    done = Delivery(settings(**changes), DAY, carrier).deliver(batch(data, age), checkpoints.append)
    return done, checkpoints


def test_a_good_batch_is_invoked_once_and_done() -> None:
    carrier = FakeCarrier(reporting(""))

    assert deliver("abc", carrier) == (True, [3])
    assert (carrier.invoked, carrier.pauses) == (["abc"], [])


def test_a_partial_failure_is_tried_again_from_the_lowest_failed_record_on() -> None:
    carrier = FakeCarrier(reporting("c"))

    deliver("abcd", carrier, max_retries=2, reports_failures=True)

    assert carrier.invoked == ["abcd", "cd", "cd"]
    assert carrier.given_up == [("cd", "RetryAttemptsExhausted", 3)]


def test_with_bisect_only_the_poison_record_is_given_up() -> None:
    carrier = FakeCarrier(reporting("c"))

    deliver("abcdefg", carrier, bisects=True, max_retries=2, reports_failures=True)

    assert [data for data, _, _ in carrier.given_up] == ["c"]
    assert carrier.invoked[:2] == ["abcdefg", "cdefg"]


def test_bisect_alone_isolates_the_poison_record() -> None:
    carrier = FakeCarrier(throwing("c"))

    deliver("abcdefgh", carrier, bisects=True, max_retries=0)

    assert [data for data, _, _ in carrier.given_up] == ["c"]
    assert carrier.invoked == ["abcdefgh", "abcd", "ab", "cd", "c", "d", "efgh"]


def test_splitting_uses_up_no_retry() -> None:
    carrier = FakeCarrier(throwing("a"))

    deliver("abcd", carrier, bisects=True, max_retries=2)

    assert carrier.invoked == ["abcd", "ab", "a", "a", "a", "b", "cd"]


def test_without_bisect_the_whole_batch_is_tried_again_and_given_up() -> None:
    carrier = FakeCarrier(throwing("c"))

    deliver("abcd", carrier, max_retries=1)

    assert carrier.invoked == ["abcd", "abcd"]
    assert carrier.given_up == [("abcd", "RetryAttemptsExhausted", 2)]


def test_the_pauses_grow_from_a_tenth_of_a_second_to_ten_seconds() -> None:
    carrier = FakeCarrier(throwing("a"))

    deliver("a", carrier, max_retries=9)

    assert carrier.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_without_limits_it_goes_on_until_it_is_stopped() -> None:
    carrier = FakeCarrier(throwing("c"), stop_after_pauses=25)

    done, checkpoints = deliver("abcd", carrier)

    assert not done
    assert (len(carrier.invoked), carrier.given_up, checkpoints[-1:]) == (25, [], [0])


def test_what_is_stopped_half_way_goes_on_from_the_last_checkpoint() -> None:
    carrier = FakeCarrier(reporting("c"), stop_after_pauses=1)

    done, checkpoints = deliver("abcd", carrier, reports_failures=True)

    assert (done, checkpoints) == (False, [2])


def test_records_that_are_too_old_are_given_up_without_an_invocation() -> None:
    carrier = FakeCarrier(reporting(""))

    deliver("ab", carrier, age=61, max_age_seconds=60)

    assert (carrier.invoked, carrier.given_up) == ([], [("ab", "RecordAgeExceeded", 0)])


def test_without_a_record_age_the_retention_of_the_stream_counts() -> None:
    carrier = FakeCarrier(reporting(""))

    deliver("ab", carrier, age=DAY + 1)

    assert carrier.given_up == [("ab", "RecordAgeExceeded", 0)]


def test_a_function_that_cannot_be_called_uses_up_no_retry() -> None:
    answers = [Outcome(0, invoked=False)] * 5 + [Outcome(None)]
    carrier = FakeCarrier(lambda _data: answers.pop(0))

    done, _ = deliver("ab", carrier, max_retries=0)

    assert (done, carrier.given_up, len(carrier.invoked)) == (True, [], 6)


@given(
    st.text("abcdefgh", min_size=1, max_size=30),
    st.sets(st.sampled_from("abcdefgh")),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
@pytest.mark.filterwarnings("ignore")
def test_every_record_is_delivered_or_given_up_exactly_once_and_in_order(
    data: str, bad: set[str], bisects: bool, reports: bool, max_retries: int
) -> None:
    poison = "".join(bad)
    done: list[str] = []

    def function(part: str) -> Outcome:
        outcome = (reporting if reports else throwing)(poison)(part)
        done.extend(part if outcome.failed_at is None else part[: outcome.failed_at] if reports else "")
        return outcome

    carrier = FakeCarrier(function)

    finished, checkpoints = deliver(data, carrier, bisects=bisects, max_retries=max_retries)

    good = [letter for letter in data if letter not in bad]
    assert finished
    assert checkpoints == sorted(checkpoints)
    assert checkpoints[-1] == len(data)
    assert sorted([*done, *"".join(data for data, _, _ in carrier.given_up)]) == sorted(data)
    if bisects:
        assert done == good
