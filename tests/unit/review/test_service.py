"""Finding alerts, and two people who press a button at the same moment."""

from datetime import timedelta

import pytest

from sightline.errors import ConflictError, NotFoundError, UnavailableError
from sightline.paging import PageRequest
from sightline.review.model import AlertSearch, Review
from sightline.review.service import AlertReview
from sightline.timeline import Window
from tests.builders import SEEN_AT, an_alert_record
from tests.fakes.review import FakeAlerts

ALERT = an_alert_record()
KEPT = timedelta(days=90)


def a_review(alerts: FakeAlerts) -> AlertReview:
    alerts.add(ALERT)
    return AlertReview(alerts, lambda: SEEN_AT + timedelta(hours=1), KEPT)


def test_without_a_window_everything_that_is_kept_is_listed_and_what_is_ahead_of_our_clock() -> None:
    alerts = FakeAlerts()
    review = a_review(alerts)
    ahead = an_alert_record(2, seen_at=SEEN_AT + timedelta(hours=2))
    old = an_alert_record(3, seen_at=SEEN_AT - timedelta(days=89))
    gone = an_alert_record(4, seen_at=SEEN_AT - timedelta(days=91))
    for alert in (ahead, old, gone):
        alerts.add(alert)

    page = review.page(AlertSearch(), PageRequest())

    assert page.items == (ahead, ALERT, old)


def test_a_window_that_is_given_is_taken() -> None:
    alerts = FakeAlerts()
    review = a_review(alerts)
    window = Window(SEEN_AT + timedelta(minutes=2), None)

    assert review.page(AlertSearch(window), PageRequest()).items == ()


def test_an_unknown_alert_is_not_found() -> None:
    review = a_review(FakeAlerts())

    for ask in (
        lambda: review.alert("al-x"),
        lambda: review.acknowledge("al-x", by="ada", note=None),
        lambda: review.resolve("al-x", verdict=True, by="ada", note=None),
    ):
        with pytest.raises(NotFoundError):
            ask()


def test_whoever_loses_the_race_sees_what_the_first_did() -> None:
    first = Review().acknowledged(by="grace", at=SEEN_AT, note=None)
    alerts = FakeAlerts(lost_races=1, rival=first)

    alert = a_review(alerts).acknowledge(ALERT.alert_id, by="ada", note=None)

    assert alert.review == first


def test_whoever_loses_the_race_is_refused_if_the_first_said_the_opposite() -> None:
    first = Review().resolved(verdict=False, by="grace", at=SEEN_AT, note=None)
    alerts = FakeAlerts(lost_races=1, rival=first)

    with pytest.raises(ConflictError):
        a_review(alerts).resolve(ALERT.alert_id, verdict=True, by="ada", note=None)


def test_whoever_always_loses_is_asked_to_come_back() -> None:
    alerts = FakeAlerts(lost_races=9)

    with pytest.raises(UnavailableError):
        a_review(alerts).acknowledge(ALERT.alert_id, by="ada", note=None)


def test_a_review_is_written_once() -> None:
    alerts = FakeAlerts()
    review = a_review(alerts)

    first = review.resolve(ALERT.alert_id, verdict=True, by="ada", note="yes")
    again = review.resolve(ALERT.alert_id, verdict=True, by="grace", note="no")

    assert first == again == alerts.alerts[ALERT.alert_id]
    assert first.review.by == "ada"
