"""Which days of the lake are written anew, and which files may go afterwards."""

from datetime import UTC, datetime, timedelta

import pytest

from sightline.errors import ConflictError, RejectedError
from sightline.lake.model import LARGE_ENOUGH
from sightline.lake.service import CompactionPlanning, Removal
from tests.fakes.lake import FakeLakeFiles

NOW = datetime(2026, 11, 22, 2, 20, tzinfo=UTC)
DAY = "2026-11-21"
FOLDER = f"sightings/dt={DAY}"
LIMIT = 10**9
ANSWER = "s3://lake/answers/check.csv"


@pytest.fixture
def files() -> FakeLakeFiles:
    return FakeLakeFiles()


def planning(files: FakeLakeFiles, *, days_back: int = 3, most_files: int = 2) -> CompactionPlanning:
    return CompactionPlanning(files, lambda: NOW, days_back, most_files, largest=LIMIT)


def fill(files: FakeLakeFiles, day: str, count: int, *, size: int = 10) -> list[str]:
    keys = [f"sightings/dt={day}/site=north/{number}.parquet" for number in range(count)]
    for key in keys:
        files.put(key, NOW, size=size)
    return keys


def test_the_last_days_with_more_files_than_allowed_are_planned_and_listed(files: FakeLakeFiles) -> None:
    for day, count in (("2026-11-18", 9), ("2026-11-19", 3), ("2026-11-20", 2), (DAY, 4), ("2026-11-22", 9)):
        fill(files, day, count)

    plans = planning(files).plan("night")

    assert [(each.day, each.files, each.size) for each in plans] == [("2026-11-19", 3, 30), (DAY, 4, 40)]
    assert [each.list_key for each in plans] == ["night/2026-11-19", f"night/{DAY}"]
    assert files.lists[f"night/{DAY}"] == files.of_day(DAY)


@pytest.mark.parametrize(
    ("count", "size", "is_planned"),
    [
        (3, LARGE_ENOUGH - 1, True),
        (3, LARGE_ENOUGH, False),
        (100, LIMIT // 100, True),
        (101, LIMIT // 100, False),
    ],
)
def test_large_files_and_days_beyond_what_a_query_may_read_are_left_as_they_are(
    files: FakeLakeFiles, count: int, size: int, is_planned: bool
) -> None:
    fill(files, DAY, count, size=size)

    assert bool(planning(files).plan("night")) == is_planned


def test_a_look_back_of_no_days_plans_nothing(files: FakeLakeFiles) -> None:
    fill(files, DAY, 9)

    assert planning(files, days_back=0).plan("night") == []


def test_a_day_that_is_asked_for_is_planned_unless_it_is_one_file_already(files: FakeLakeFiles) -> None:
    fill(files, "2026-11-01", 2)
    fill(files, "2026-11-02", 1)

    plans = planning(files, most_files=100).plan("by-hand", ["2026-11-01", "2026-11-02", "2026-11-03"])

    assert [each.day for each in plans] == ["2026-11-01"]


@pytest.mark.parametrize("day", ["yesterday", "20261121", "2026-11-31", "2026-11-21/../.."])
def test_what_is_no_day_is_refused(files: FakeLakeFiles, day: str) -> None:
    with pytest.raises(RejectedError, match="is no day"):
        planning(files).plan("by-hand", [day])


def removal_of(files: FakeLakeFiles, *, written: list[str], uncovered: list[str]) -> int:
    files.answers[ANSWER] = [f"s3://lake/{key}" for key in uncovered]
    return Removal(files).remove(DAY, f"night/{DAY}", [f"s3://lake/{key}" for key in written], ANSWER)


def planned(files: FakeLakeFiles) -> list[str]:
    keys = fill(files, DAY, 3)
    planning(files).plan("night")
    return keys


def test_only_what_was_listed_goes_and_what_came_later_stays(files: FakeLakeFiles) -> None:
    planned(files)
    new, late = (files.put(f"{FOLDER}/{name}", NOW).key for name in ("new", "site=north/late.parquet"))

    assert removal_of(files, written=[new], uncovered=[late]) == 3
    assert set(files.files) == {new, late}


def test_nothing_goes_when_a_listed_file_has_a_sighting_that_was_not_written(files: FakeLakeFiles) -> None:
    keys = planned(files)
    new = files.put(f"{FOLDER}/new", NOW).key

    with pytest.raises(ConflictError, match="1 files have sightings that were not written anew"):
        removal_of(files, written=[new], uncovered=[keys[1]])
    assert set(files.files) == {*keys, new}


def test_nothing_goes_when_nothing_was_written(files: FakeLakeFiles) -> None:
    keys = planned(files)

    with pytest.raises(ConflictError, match="nothing was written"):
        removal_of(files, written=[], uncovered=[])
    assert set(files.files) == set(keys)


def test_a_file_that_was_replaced_meanwhile_stays(files: FakeLakeFiles) -> None:
    keys = planned(files)
    new = files.put(f"{FOLDER}/new", NOW).key
    files.put(keys[0], NOW + timedelta(seconds=1), size=10)

    assert removal_of(files, written=[new], uncovered=[]) == 2
    assert set(files.files) == {keys[0], new}


def test_a_removal_can_be_repeated(files: FakeLakeFiles) -> None:
    planned(files)
    new = files.put(f"{FOLDER}/new", NOW).key

    assert [removal_of(files, written=[new], uncovered=[]) for _ in range(2)] == [3, 0]
    assert set(files.files) == {new}


def test_what_was_written_stays_even_if_it_was_listed(files: FakeLakeFiles) -> None:
    keys = planned(files)

    assert removal_of(files, written=[keys[0]], uncovered=[]) == 2
    assert set(files.files) == {keys[0]}


def test_a_file_of_another_bucket_is_refused(files: FakeLakeFiles) -> None:
    planned(files)
    files.answers[ANSWER] = []

    with pytest.raises(RejectedError, match="is not in lake"):
        Removal(files).remove(DAY, f"night/{DAY}", ["s3://other/x"], ANSWER)
    assert len(files.files) == 3
