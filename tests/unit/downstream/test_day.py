"""The made-up hour is one that the consumers can be told apart by."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import a_sighting
from tests.downstream.day import DEVICES, Plan, Record, records_of_an_hour
from tests.downstream.oracle import Truth, moment, read, visits, ways
from tests.downstream.streaming_oracle import crowds, journeys, on_time_and_late, people_per_minute

BEGIN = datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.fixture(scope="module")
def records() -> tuple[Record, ...]:
    return records_of_an_hour(BEGIN)


@pytest.fixture(scope="module")
def truth(records: tuple[Record, ...]) -> Truth:
    return read(record.data for record in records)


def test_the_same_call_gives_the_same_bytes() -> None:
    plan = Plan(sightings=8_000)

    assert records_of_an_hour(BEGIN, plan) == records_of_an_hour(BEGIN, plan)
    assert records_of_an_hour(BEGIN, plan) != records_of_an_hour(BEGIN, Plan(sightings=8_000, seed=6))


def test_there_are_50_000_sightings_one_in_a_hundred_twice_and_ten_records_that_are_none(
    records: tuple[Record, ...], truth: Truth
) -> None:
    assert len(truth.sightings) == 50_000
    assert len(truth.deliveries) == 50_500
    assert len(truth.malformed) == len(set(truth.malformed)) == 10
    assert len(records) == 50_510


def test_one_in_two_hundred_is_late_beyond_doubt(truth: Truth) -> None:
    assert len(on_time_and_late(truth.sightings.values()).late) == 250


def test_a_row_has_the_members_of_a_sighting(truth: Truth) -> None:
    real = a_sighting().to_row(visit_id=None, recorded_at=BEGIN)

    assert all(list(row) == list(real) for row in truth.deliveries)


def test_a_repeated_sighting_differs_in_nothing_but_its_recording(truth: Truth) -> None:
    changed = 0
    for row in truth.deliveries:
        first = truth.sightings[row["sighting_id"]]
        changed += row != first
        assert row == first | {"recorded_at": row["recorded_at"]}
    assert changed > 100


def test_nobody_is_at_two_devices_at_once_nor_twice_in_a_frame(truth: Truth) -> None:
    known = [row for row in truth.sightings.values() if row["person_id"] is not None]

    assert max(Counter((row["person_id"], row["seen_at"]) for row in known).values()) == 1


def test_a_visit_is_of_one_person_at_one_device_without_a_long_gap(truth: Truth) -> None:
    found = visits(truth.sightings.values())

    assert len(found) > 200
    for seen in found.values():
        assert len({(row["person_id"], row["device_id"]) for row in seen}) == 1
        moments = [moment(row["seen_at"]) for row in seen]
        assert max(b - a for a, b in zip(moments, moments[1:] or moments, strict=False)) < timedelta(
            seconds=1
        )


def test_every_kind_of_question_has_an_answer(truth: Truth) -> None:
    on_time = on_time_and_late(truth.sightings.values()).on_time
    windows = people_per_minute(on_time)

    assert {row["device_id"] for row in on_time} == set(DEVICES)
    assert len(ways(truth.sightings.values())) > 100
    assert len(journeys(on_time)) > 100
    assert 50 < len(crowds(windows, 3)) < len(crowds(windows, 2)) < len(windows)
    assert len({moment(each["window_start"]) for each in windows}) > 50
    assert max(each["unknown_faces"] for each in windows) == 4


def test_the_times_are_in_the_hour(truth: Truth) -> None:
    moments = [moment(row["seen_at"]) for row in truth.sightings.values()]

    assert min(moments) >= BEGIN
    assert max(moments) < BEGIN + timedelta(hours=1)
