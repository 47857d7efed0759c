"""How far a mapping is, kept as facts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline_local.state import Facts
from sightline_local.triggers.positions import Lane, Positions


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts")
    yield facts
    facts.close()


def test_what_was_decided_first_stands(facts: Facts) -> None:
    Positions("u", facts).decide({"s": 5})

    again = Positions("u", facts)
    again.decide({"s": 9, "t": 9})

    assert again.lanes("s", 1) == [5]
    assert again.lanes("t", 1) == [0]  # it came later: from its start


def test_that_there_was_no_shard_yet_is_no_decision(facts: Facts) -> None:
    assert not Positions("u", facts).is_decided()


def test_a_lane_goes_forward_only(facts: Facts) -> None:
    positions = Positions("u", facts)
    positions.advance(Lane("s", 0, 1), 7)
    positions.advance(Lane("s", 0, 1), 3)

    assert Positions("u", facts).lanes("s", 1) == [7]


def test_a_shard_is_done_as_far_as_its_slowest_lane(facts: Facts) -> None:
    positions = Positions("u", facts)
    assert positions.lanes("s", 2) == [0, 0]
    positions.advance(Lane("s", 1, 2), 9)
    assert positions.lowest("s") == 0
    positions.advance(Lane("s", 0, 2), 4)

    assert positions.lowest("s") == 4
    assert Positions("u", facts).lanes("s", 2) == [4, 9]


def test_after_a_change_of_their_number_lanes_begin_at_the_lowest(facts: Facts) -> None:
    positions = Positions("u", facts)
    positions.lanes("s", 2)
    positions.advance(Lane("s", 0, 2), 4)
    positions.advance(Lane("s", 1, 2), 9)

    assert positions.lanes("s", 3) == [4, 4, 4]
    positions.advance(Lane("s", 1, 2), 20)  # a worker of before, too late
    assert positions.lanes("s", 3) == [4, 4, 4]


def test_what_is_forgotten_is_not_kept_again(facts: Facts) -> None:
    positions = Positions("u", facts)
    positions.decide({"s": 5})
    Positions("other", facts).decide({"s": 1})

    positions.forget()
    positions.advance(Lane("s", 0, 1), 8)

    assert not Positions("u", facts).is_decided()
    assert Positions("other", facts).lanes("s", 1) == [1]


def test_every_partition_key_has_one_lane() -> None:
    lanes = [Lane("s", number, 5) for number in range(5)]

    for key in map(str, range(100)):
        assert sum(lane.takes(key) for lane in lanes) == 1
