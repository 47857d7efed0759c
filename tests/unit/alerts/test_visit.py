import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sightline.alerts.memory import lease_for
from sightline.alerts.model import notification_of
from sightline.alerts.visit import Kind, Run, runs_of
from sightline.alerts.visit_log import VISITS_KEPT, VisitLog
from sightline.sightings.model import Sighting
from tests.builders import SEEN_AT, a_sighting

GAP = timedelta(seconds=60)
NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
Seconds = st.integers(min_value=0, max_value=3_000).map(lambda tenths: tenths / 4)


def attend(log: VisitLog, sightings: list[Sighting]) -> tuple[VisitLog, list[str]]:
    """The rule alone, without calls: the log afterwards, and the visits that began."""
    began = []
    for run in runs_of(sightings, GAP):
        place = log.place(run, GAP)
        if place.kind is Kind.NEW:
            notification = notification_of(run, place.visit.visit_id)
            log = log.claimed(place, notification, lease_for("me", NOW, GAP), NOW).sent()
            began.append(place.visit.visit_id)
        elif place.kind is Kind.CONTINUES:
            log = log.continued(place.visit, run)
    return log, began


def visits_among(seconds: list[float]) -> int:
    """The definition, counted the plain way."""
    ordered = sorted(seconds)
    return sum(1 for n, at in enumerate(ordered) if n == 0 or at - ordered[n - 1] > GAP.total_seconds())


def empty() -> VisitLog:
    return VisitLog("gate-3", "ada")


@given(st.lists(Seconds, min_size=1, max_size=30, unique=True), st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(seconds: list[float], chance: random.Random) -> None:
    in_order = [a_sighting(at) for at in sorted(seconds)]
    shuffled = chance.sample(in_order, len(in_order))

    assert attend(empty(), shuffled) == attend(empty(), in_order)


@given(
    st.lists(Seconds, min_size=1, max_size=40, unique=True),
    st.lists(st.integers(1, 7), min_size=40, max_size=40),
)
def test_visits_are_counted_alike_however_the_stream_is_cut_into_batches(
    seconds: list[float], sizes: list[int]
) -> None:
    left = sorted(seconds)
    log, began = empty(), []
    for size in sizes:
        batch, left = left[:size], left[size:]
        log, new = attend(log, [a_sighting(at) for at in batch])
        began += new

    assert len(began) == len(set(began)) == visits_among(seconds)


@given(st.lists(Seconds, min_size=1, max_size=40, unique=True), st.lists(st.integers(0, 39), max_size=20))
def test_what_was_attended_once_never_begins_a_visit_again(seconds: list[float], again: list[int]) -> None:
    sightings = [a_sighting(at) for at in sorted(seconds)]
    log, _ = attend(empty(), sightings)

    repeated = [sightings[index % len(sightings)] for index in again]
    after, began = attend(log, repeated)

    assert began == []
    assert after == log


@given(
    st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=5), min_size=1, max_size=VISITS_KEPT),
    st.data(),
)
def test_a_visit_that_arrives_late_has_its_alert_all_the_same(
    visits: list[list[int]], data: st.DataObject
) -> None:
    batches = [[a_sighting(1_000.0 * n + at) for at in set(times)] for n, times in enumerate(visits)]
    arriving = data.draw(st.permutations(batches))

    log, began = empty(), []
    for batch in arriving:
        log, new = attend(log, batch)
        began += new

    assert len(began) == len(visits)


def test_a_gap_of_exactly_the_visit_gap_is_still_the_same_visit() -> None:
    log, _ = attend(empty(), [a_sighting(0)])

    _, at_the_gap = attend(log, [a_sighting(60)])
    _, beyond = attend(log, [a_sighting(60.001)])

    assert at_the_gap == []
    assert len(beyond) == 1


def test_a_late_sighting_before_the_visit_widens_it_backwards() -> None:
    log, _ = attend(empty(), [a_sighting(100)])

    log, began = attend(log, [a_sighting(70)])

    assert began == []
    assert log.visits[0].first_seen_at == SEEN_AT + timedelta(seconds=70)


def test_a_clock_that_is_set_back_an_hour_does_not_silence_a_person() -> None:
    log, _ = attend(empty(), [a_sighting(7_200)])

    _, began = attend(log, [a_sighting(3_600)])

    assert len(began) == 1


def test_what_is_older_than_everything_remembered_never_alerts() -> None:
    log = empty()
    for n in range(VISITS_KEPT + 1):
        log, _ = attend(log, [a_sighting(1_000.0 * n)])

    after, began = attend(log, [a_sighting(0)])

    assert began == []
    assert after == log
    assert len(log.visits) == VISITS_KEPT


def test_a_visit_is_named_by_its_first_sighting_and_nothing_else() -> None:
    first, second = a_sighting(0), a_sighting(5)

    alone, together = Run((first,)), Run((first, second))

    assert alone.visit_id == together.visit_id
    assert together.began(alone.visit_id)
    assert not Run((second,)).began(alone.visit_id)


def test_exactly_the_visit_gap_is_no_gap_in_any_direction() -> None:
    log, _ = attend(empty(), [a_sighting(100), a_sighting(160)])

    _, before = attend(log, [a_sighting(40)])
    _, long_before = attend(log, [a_sighting(39.999)])

    assert len(log.visits) == 1
    assert before == []
    assert len(long_before) == 1
