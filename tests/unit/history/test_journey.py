"""Sightings → visits in order, a page at a time."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import RejectedError
from sightline.history.model import (
    MOST_SIGHTINGS,
    Glimpse,
    JourneyPlace,
    JourneyVisit,
    journey_of,
    moment_key,
)
from tests.builders import SEEN_AT


def a_glimpse(
    at_seconds: float, visit_id: str = "vi-1", device_id: str = "gate-3", similarity: float = 95.0
) -> Glimpse:
    key = moment_key(SEEN_AT + timedelta(seconds=at_seconds), f"si-{visit_id}-{at_seconds}")
    return Glimpse(key, device_id, "Harbour", visit_id, similarity)


def pages(glimpses: list[Glimpse], limit: int) -> list[JourneyVisit]:
    found: list[JourneyVisit] = []
    place: JourneyPlace | None = JourneyPlace("")
    while place is not None:
        rest = [each for each in glimpses if each.moment_key >= place.moment_key]
        visits, place = journey_of(rest, limit, place.shown)
        assert len(visits) <= limit
        found += visits
        place = place and JourneyPlace.from_key(place.to_key())
    return found


def test_a_visit_says_where_from_when_to_when_how_often_and_how_sure() -> None:
    glimpses = [a_glimpse(0, similarity=90), a_glimpse(1, similarity=99.5), a_glimpse(2.5, similarity=80)]

    visits, following = journey_of(glimpses, 10)

    assert following is None
    assert [visit.to_json() for visit in visits] == [
        {
            "visit_id": "vi-1",
            "device_id": "gate-3",
            "site": "Harbour",
            "first_seen_at": "2026-11-22T13:02:07.000Z",
            "last_seen_at": "2026-11-22T13:02:09.500Z",
            "frames": 3,
            "best_similarity": 99.5,
        }
    ]


def test_visits_over_devices_come_in_the_order_in_which_they_began() -> None:
    glimpses = [
        a_glimpse(0, "vi-1", "gate-1"),
        a_glimpse(5, "vi-2", "gate-2"),
        a_glimpse(9, "vi-1", "gate-1"),
        a_glimpse(20, "vi-3", "gate-1"),
    ]

    visits, _ = journey_of(glimpses, 10)

    assert [(visit.visit_id, visit.frames) for visit in visits] == [("vi-1", 2), ("vi-2", 1), ("vi-3", 1)]


def test_a_visit_that_lasts_into_the_next_page_is_whole_on_its_own_and_not_shown_again() -> None:
    glimpses = [a_glimpse(0, "vi-1"), a_glimpse(5, "vi-2"), a_glimpse(9, "vi-1"), a_glimpse(12, "vi-1")]

    first, place = journey_of(glimpses, 1)
    assert place is not None
    rest = [each for each in glimpses if each.moment_key >= place.moment_key]
    second, last = journey_of(rest, 1, place.shown)

    assert [(visit.visit_id, visit.frames) for visit in first] == [("vi-1", 3)]
    assert [(visit.visit_id, visit.frames) for visit in second] == [("vi-2", 1)]
    assert last is None


def test_reading_ends_when_the_visits_of_the_page_are_over_for_certain() -> None:
    read = []

    def glimpses() -> object:
        for day in range(100):
            read.append(day)
            yield a_glimpse(day * 86_400.0 * 0.6, f"vi-{day}")

    visits, place = journey_of(glimpses(), 2)  # type: ignore[arg-type]

    assert [visit.visit_id for visit in visits] == ["vi-0", "vi-1"]
    assert place is not None
    assert len(read) == 4


def test_more_sightings_than_can_be_read_are_refused_with_what_to_do() -> None:
    glimpses = (a_glimpse(n * 0.2) for n in range(MOST_SIGHTINGS + 1))

    with pytest.raises(RejectedError, match="ask for a shorter time"):
        journey_of(glimpses, 10)


@given(
    visits=st.lists(
        st.tuples(st.integers(0, 200_000), st.integers(1, 12), st.integers(1, 40_000)), max_size=12
    ),
    limit=st.integers(1, 5),
)
def test_pages_together_are_the_whole_journey(visits: list[tuple[int, int, int]], limit: int) -> None:
    glimpses = [
        a_glimpse(begin + n * step, f"vi-{number}", f"gate-{number}")
        for number, (begin, frames, step) in enumerate(visits)
        for n in range(frames)
    ]
    Random(1).shuffle(glimpses)
    glimpses.sort(key=lambda glimpse: glimpse.moment_key)

    whole, following = journey_of(glimpses, 100)

    assert following is None
    assert pages(glimpses, limit) == list(whole)
    assert sum(visit.frames for visit in whole) == len(glimpses)
