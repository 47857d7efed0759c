"""A batch of the sightings stream becomes presence; and who asks is told page by page."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.deliveries import Delivery
from sightline.errors import RejectedError, UnavailableError
from sightline.paging import PageRequest
from sightline.presence.model import Change, PresenceSearch, Stored
from sightline.presence.service import Outcome, PresenceBook, PresenceRecorder
from tests.builders import SEEN_AT, a_sighting_row
from tests.fakes.presence import FakePresences, FakeSetAside

Row = dict[str, Any]


def deliveries(*rows: object) -> list[Delivery]:
    return [
        Delivery(f"sn-{n}", each if isinstance(each, bytes) else json.dumps(each).encode())
        for n, each in enumerate(rows)
    ]


def recorder(presences: FakePresences, set_aside: FakeSetAside | None = None) -> PresenceRecorder:
    return PresenceRecorder(presences, set_aside or FakeSetAside(), "sightings", lambda: SEEN_AT)


def test_a_batch_of_one_person_is_one_write() -> None:
    presences = FakePresences()

    outcome = recorder(presences).record_presence(deliveries(*(a_sighting_row(n) for n in range(100))))

    assert outcome == Outcome(counted=100, repeated=0, undecided=0, set_aside=0)
    assert presences.writes == 1
    kept = presences.one("ada")
    assert kept is not None
    assert (kept.since, kept.last_seen_at) == (SEEN_AT, SEEN_AT + timedelta(seconds=99))


def test_a_batch_that_comes_again_writes_nothing() -> None:
    presences = FakePresences()
    batch = deliveries(a_sighting_row(0), a_sighting_row(1), a_sighting_row(2, person_id="grace"))
    recorder(presences).record_presence(batch)
    before = dict(presences.stored)

    outcome = recorder(presences).record_presence(batch)

    assert outcome == Outcome(counted=3, repeated=3, undecided=0, set_aside=0)
    assert presences.stored == before


def test_every_record_is_counted_once_as_what_it_is() -> None:
    set_aside = FakeSetAside()
    batch = deliveries(
        a_sighting_row(0), b"no json", a_sighting_row(1, person_id=None), a_sighting_row(2, visit_id=None)
    )

    outcome = recorder(FakePresences(), set_aside).record_presence(batch)

    assert outcome == Outcome(counted=1, repeated=0, undecided=2, set_aside=1)
    (record,) = set_aside.records
    assert (record.stream, record.sequence_number, record.payload) == ("sightings", "sn-1", b"no json")
    assert record.reason


def test_a_batch_whose_bad_record_cannot_be_set_aside_comes_again() -> None:
    with pytest.raises(UnavailableError):
        recorder(FakePresences(), FakeSetAside(is_down=True)).record_presence(deliveries(b"no json"))


@dataclass
class Overtaken(FakePresences):
    """Somebody else always writes in between, so many times."""

    others: list[Row] = field(default_factory=list)

    def write(self, changes: Sequence[Change]) -> Any:
        if self.others:
            row = self.others.pop(0)
            somebody = FakePresences(self.stored)
            recorder(somebody).record_presence(deliveries(row))
        return super().write(changes)


def test_what_another_worker_has_written_meanwhile_is_kept() -> None:
    before = a_sighting_row(-5)
    after = a_sighting_row(9, device_id="gate-4", visit_id="vi-2")
    presences = Overtaken(others=[before, after])

    outcome = recorder(presences).record_presence(deliveries(a_sighting_row(0), a_sighting_row(3)))

    assert outcome.counted == 2
    kept = presences.one("ada")
    assert kept is not None
    assert (kept.newest.device_id, kept.since) == ("gate-4", SEEN_AT + timedelta(seconds=9))
    first, last = kept.visits["vi-1"]
    assert (first, last) == (SEEN_AT - timedelta(seconds=5), SEEN_AT + timedelta(seconds=3))


def test_a_race_that_never_ends_comes_again_later() -> None:
    presences = Overtaken(others=[a_sighting_row(-n) for n in range(1, 100)])

    with pytest.raises(UnavailableError, match="all the time"):
        recorder(presences).record_presence(deliveries(a_sighting_row(0)))


people = st.sampled_from(["ada", "grace"])
some_rows = st.lists(
    st.builds(
        lambda n, person, visit, device: a_sighting_row(
            n, person_id=person, visit_id=f"vi-{person}-{visit}", device_id=f"gate-{device}"
        ),
        st.integers(0, 20),
        people,
        st.integers(1, 8),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=30,
)


class Stale(FakePresences):
    """A second writer whose memory is that of the begin."""

    def read(self, person_ids: Any) -> Any:
        return {each: Stored(0, None) for each in person_ids}


@given(some_rows, st.data())
def test_two_workers_give_what_one_gives_in_any_order_with_any_repetition(
    rows: list[Row], data: st.DataObject
) -> None:
    expected = FakePresences()
    recorder(expected).record_presence(deliveries(*rows))
    shared: dict[str, Stored] = {}
    workers = [recorder(FakePresences(shared)), recorder(Stale(shared))]
    arrived = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows), max_size=8))))

    while arrived:
        size = data.draw(st.integers(1, len(arrived)))
        data.draw(st.sampled_from(workers)).record_presence(deliveries(*arrived[:size]))
        arrived = arrived[size:]

    assert {who: each.presence for who, each in shared.items()} == {
        who: each.presence for who, each in expected.stored.items()
    }


def a_book(*rows: Row, minutes: int = 15) -> PresenceBook:
    presences = FakePresences()
    recorder(presences).record_presence(deliveries(*rows))
    return PresenceBook(presences, lambda: SEEN_AT, timedelta(minutes=minutes))


def everybody(book: PresenceBook, search: PresenceSearch, limit: int) -> list[str]:
    found: list[str] = []
    after = None
    for _ in range(50):
        page = book.page(search, PageRequest(limit, after))
        assert len(page.items) <= limit
        found += [each["person_id"] for each in page.items]
        after = page.last_key
        if after is None:
            return found
    raise AssertionError("the list has no end")


def test_who_asks_is_told_since_when_and_whether_still() -> None:
    book = a_book(a_sighting_row(-20), a_sighting_row(-10))

    (told,) = book.page(PresenceSearch(person_id="ada"), PageRequest()).items

    assert told == {
        "person_id": "ada",
        "person_name": a_sighting_row()["person_name"],
        "device_id": "gate-3",
        "site": a_sighting_row()["site"],
        "visit_id": "vi-1",
        "since": "2026-11-22T13:01:47.000Z",
        "last_seen_at": "2026-11-22T13:01:57.000Z",
        "on_site": True,
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_every_page_together_is_everybody_once(limit: int) -> None:
    names = [f"person-{n}" for n in range(7)]
    book = a_book(*(a_sighting_row(-60 * n, person_id=name) for n, name in enumerate(names)))

    assert everybody(book, PresenceSearch(), limit) == names
    assert everybody(book, PresenceSearch(on_site=True), limit) == names


def test_who_was_not_seen_for_long_is_not_on_site() -> None:
    book = a_book(a_sighting_row(-10, person_id="ada"), a_sighting_row(-1000, person_id="grace"))

    assert everybody(book, PresenceSearch(on_site=True), 10) == ["ada"]
    assert everybody(book, PresenceSearch(on_site=False), 10) == ["grace"]


def test_nobody_is_found_by_the_id_of_somebody_unknown() -> None:
    assert everybody(a_book(a_sighting_row()), PresenceSearch(person_id="nobody"), 10) == []


def test_a_search_through_many_people_gives_a_short_page_and_goes_on() -> None:
    book = a_book(*(a_sighting_row(-1000, person_id=f"p-{n:03}") for n in range(100)))

    page = book.page(PresenceSearch(on_site=True), PageRequest())

    assert (page.items, page.last_key) == ((), "p-059")


def test_a_cursor_that_no_person_can_have_is_refused() -> None:
    with pytest.raises(RejectedError):
        a_book().page(PresenceSearch(), PageRequest(after="x" * 201))
