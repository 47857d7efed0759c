"""A batch of the sightings stream: what is kept, parked, and what comes again."""

import json

import pytest

from sightline.deliveries import Delivery
from sightline.errors import RejectedError
from sightline.history.model import SightingSearch
from sightline.history.service import SightingHistory, SightingIndex
from sightline.paging import PageRequest
from sightline.timeline import ALWAYS
from tests.builders import SEEN_AT, a_sighting_row
from tests.fakes.history import FakeKeptSightings, FakeParkedRows


def deliveries(*payloads: object) -> list[Delivery]:
    return [
        Delivery(f"sn-{n}", each if isinstance(each, bytes) else json.dumps(each).encode())
        for n, each in enumerate(payloads)
    ]


def test_a_bad_record_is_parked_with_its_payload_and_stops_nobody() -> None:
    kept, parked = FakeKeptSightings(), FakeParkedRows()
    batch = deliveries(a_sighting_row(0), b"\xff no json", a_sighting_row(1))

    outcome = SightingIndex(kept, parked, lambda: SEEN_AT).index("sightings", batch)

    assert (outcome.rows, outcome.parked, outcome.comes_again) == (2, 1, None)
    assert len(kept.rows) == 2
    assert [(each.sequence_number, each.payload, each.parked_at) for each in parked.rows] == [
        ("sn-1", b"\xff no json", SEEN_AT)
    ]


def test_what_is_not_taken_comes_again_from_the_lowest_on() -> None:
    kept = FakeKeptSightings(refused=frozenset({"si-gate-3-ada-1", "si-gate-3-ada-2"}))
    batch = deliveries(*(a_sighting_row(n) for n in range(4)))

    outcome = SightingIndex(kept, FakeParkedRows(), lambda: SEEN_AT).index("sightings", batch)

    assert (outcome.rows, outcome.comes_again) == (2, "sn-1")


def test_a_bad_record_that_cannot_be_parked_comes_again() -> None:
    kept = FakeKeptSightings()
    batch = deliveries(a_sighting_row(0), b"{}", a_sighting_row(1))

    outcome = SightingIndex(kept, FakeParkedRows(is_down=True), lambda: SEEN_AT).index("sightings", batch)

    assert (outcome.parked, outcome.comes_again) == (0, "sn-1")
    assert len(kept.rows) == 2


def test_an_empty_batch_is_nothing_to_do() -> None:
    outcome = SightingIndex(FakeKeptSightings(), FakeParkedRows(), lambda: SEEN_AT).index("", [])

    assert (outcome.rows, outcome.parked, outcome.comes_again) == (0, 0, None)


def test_sightings_of_everybody_everywhere_are_not_listed() -> None:
    with pytest.raises(RejectedError, match="device_id or person_id"):
        SightingHistory(FakeKeptSightings()).page(SightingSearch(None, None), PageRequest())


def test_a_journey_is_paged_through_its_own_cursor() -> None:
    kept = FakeKeptSightings()
    rows = [a_sighting_row(n * 10, device_id=f"gate-{n % 3}", visit_id=f"vi-{n}") for n in range(5)]
    SightingIndex(kept, FakeParkedRows(), lambda: SEEN_AT).index("sightings", deliveries(*rows))
    history, found, after = SightingHistory(kept), [], None

    while page := history.journey("ada", ALWAYS, PageRequest(limit=2, after=after)):
        found += [visit.visit_id for visit in page.items]
        after = page.last_key
        if after is None:
            break

    assert found == [f"vi-{n}" for n in range(5)]


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(RejectedError):
        SightingHistory(FakeKeptSightings()).journey("ada", ALWAYS, PageRequest(after="person-7"))
