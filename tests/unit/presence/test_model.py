"""Where somebody is follows from the sightings alone, not from how they came."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.presence.model import MOST_VISITS, Presence, PresenceSearch, Seen, seen_again
from tests.builders import SEEN_AT

GONE_AFTER = timedelta(minutes=15)


def seen(at_seconds: float, visit_id: str = "vi-1", device_id: str = "gate-3", **changes: str | None) -> Seen:
    about: dict[str, str | None] = {"person_name": "Ada", "site": "north", **changes}
    sighting_id = about.pop("sighting_id", None) or f"si-{visit_id}-{at_seconds}"
    moment = SEEN_AT + timedelta(seconds=at_seconds)
    return Seen("ada", about["person_name"], device_id, about["site"], visit_id, sighting_id, moment)


def presence_of(*sightings: Seen) -> Presence:
    presence = seen_again(None, sightings)
    assert presence is not None
    return presence


def by_the_book(sightings: Sequence[Seen]) -> tuple[str, str, str | None, datetime, datetime]:
    """What the documentation says, word for word."""
    last = max(each.seen_at for each in sightings)
    visit = max(each.visit_id for each in sightings if each.seen_at == last)
    of_visit = [each for each in sightings if each.visit_id == visit]
    newest = max((each for each in of_visit if each.seen_at == last), key=lambda each: each.rank)
    return visit, newest.device_id, newest.site, min(each.seen_at for each in of_visit), last


some_sightings = st.lists(
    st.builds(
        seen,
        at_seconds=st.integers(0, 30).map(lambda n: n / 2),
        visit_id=st.integers(1, MOST_VISITS).map("vi-{}".format),
        device_id=st.sampled_from(["gate-3", "gate-4"]),
        site=st.sampled_from(["north", "south", None]),
        sighting_id=st.integers(1, 20).map("si-{}".format),
    ),
    min_size=1,
    max_size=40,
)


@given(some_sightings, st.randoms(use_true_random=False), st.data())
def test_any_order_any_repetition_and_any_cut_into_batches_give_the_same_presence(
    sightings: list[Seen], shuffled: random.Random, data: st.DataObject
) -> None:
    expected = presence_of(*sightings)
    again = sightings + data.draw(st.lists(st.sampled_from(sightings), max_size=10))
    shuffled.shuffle(again)

    presence = None
    while again:
        size = data.draw(st.integers(1, len(again)))
        presence, again = seen_again(presence, again[:size]), again[size:]

    assert presence == expected


@given(some_sightings)
def test_a_person_is_where_the_visit_of_the_newest_sighting_is_since_that_visit_began(
    sightings: list[Seen],
) -> None:
    presence = presence_of(*sightings)

    newest = presence.newest
    told = newest.visit_id, newest.device_id, newest.site, presence.since, presence.last_seen_at
    assert told == by_the_book(sightings)


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_visits_that_are_over_are_forgotten_and_harm_nothing_when_some_come_in_disorder(
    shuffled: random.Random, batch: int
) -> None:
    """Fifty visits, one after the other, of which at most ten come in disorder."""
    sightings = [seen(visit * 60 + second, f"vi-{visit}") for visit in range(50) for second in range(3)]
    expected = presence_of(*sightings)
    late = [sightings[n : n + 30] for n in range(0, len(sightings), 30)]
    for part in late:
        shuffled.shuffle(part)
    arrived = [each for part in late for each in part]

    presence = None
    for begin in range(0, len(arrived), batch):
        presence = seen_again(presence, arrived[begin : begin + batch])

    assert presence == expected
    assert presence is not None
    assert len(presence.visits) == MOST_VISITS
    assert presence.since == SEEN_AT + timedelta(seconds=49 * 60)


def test_a_late_sighting_of_an_older_visit_does_not_move_the_person_back() -> None:
    now_at_gate_4 = presence_of(seen(0), seen(60, "vi-2", "gate-4"))

    presence = seen_again(now_at_gate_4, [seen(30)])

    assert presence is not None
    assert (presence.newest.device_id, presence.since) == ("gate-4", SEEN_AT + timedelta(seconds=60))


def test_a_late_sighting_of_this_visit_tells_that_it_began_earlier() -> None:
    presence = seen_again(presence_of(seen(10)), [seen(4)])

    assert presence is not None
    assert (presence.since, presence.last_seen_at) == (
        SEEN_AT + timedelta(seconds=4),
        SEEN_AT + timedelta(seconds=10),
    )


@pytest.mark.parametrize("changes", [{"device_id": "gate-4"}, {"site": None}, {"person_name": "Ada L."}])
def test_one_sighting_that_came_with_two_contents_is_the_same_in_both_orders(
    changes: dict[str, Any],
) -> None:
    first = seen(0, sighting_id="si-1")
    other = replace(first, **changes)

    assert presence_of(first, other) == presence_of(other, first)


def test_somebody_of_whom_nothing_is_known_is_nowhere() -> None:
    assert seen_again(None, []) is None


def test_a_person_is_on_site_until_the_time_is_over() -> None:
    presence = presence_of(seen(0))

    assert presence.is_on_site(SEEN_AT + GONE_AFTER, GONE_AFTER)
    assert not presence.is_on_site(SEEN_AT + GONE_AFTER + timedelta(milliseconds=1), GONE_AFTER)


def test_a_search_finds_only_who_fits_in_everything_that_is_asked() -> None:
    presence, now = presence_of(seen(0)), SEEN_AT.astimezone(UTC)

    def finds(search: PresenceSearch) -> bool:
        return search.finds(presence, now, GONE_AFTER)

    assert finds(PresenceSearch())
    assert finds(PresenceSearch("north", "gate-3", "ada", on_site=True))
    assert not finds(PresenceSearch(site="south"))
    assert not finds(PresenceSearch(device_id="gate-4"))
    assert not finds(PresenceSearch(person_id="grace"))
    assert not finds(PresenceSearch(on_site=False))
