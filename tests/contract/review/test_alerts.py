"""What the alerts promise their readers: the fake of the unit tests, and DynamoDB."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.errors import RejectedError
from sightline.paging import PageRequest
from sightline.review.dynamo import DynamoAlerts
from sightline.review.model import AlertRecord, AlertSearch, Review, Status
from sightline.review.service import Alerts
from sightline.timeline import Place, Window
from tests.builders import SEEN_AT, an_alert_item, an_alert_record
from tests.fakes.review import FakeAlerts
from tests.fakes.tables import create_alerts_table

EVER = Window(SEEN_AT - timedelta(days=20), SEEN_AT + timedelta(days=20))


@dataclass
class Shelf:
    alerts: Alerts
    add: Callable[[AlertRecord], object]

    def ids(self, limit: int = 100, **search: Any) -> list[str]:
        """Every page, in order."""
        found: list[str] = []
        after = None
        for _ in range(200):
            page = self.alerts.page(
                AlertSearch(**{"window": EVER, **search}), PageRequest(limit=limit, after=after)
            )
            assert len(page.items) <= limit
            found += [alert.alert_id for alert in page.items]
            after = page.last_key
            if after is None:
                return found
        raise AssertionError("the list has no end")


@pytest.fixture(params=["fake", "dynamo"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    if request.param == "fake":
        fake = FakeAlerts()
        yield Shelf(fake, fake.add)
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_alerts_table(client)
        yield Shelf(
            DynamoAlerts(client, "alerts"),
            lambda alert: client.put_item(TableName="alerts", Item=an_alert_item(alert)),
        )


REVIEW = Review().acknowledged(by="operator", at=SEEN_AT, note="on my way")


def test_an_alert_is_found_as_it_was_written(shelf: Shelf) -> None:
    alert = an_alert_record()
    pending = an_alert_record(2, state="pending", sent_at=None)
    unknown = an_alert_record(3, person_id=None, watchlist_id=None, severity=None)
    for each in (alert, pending, unknown):
        shelf.add(each)

    assert shelf.alerts.find(alert.alert_id) == alert
    assert shelf.alerts.find(pending.alert_id) == pending
    assert shelf.alerts.find(unknown.alert_id) == unknown
    assert shelf.alerts.find("al-none") is None


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("by", [{}, {"device_id": "gate-3"}, {"person_id": "ada"}])
def test_alerts_of_many_days_come_newest_first_and_once_each(
    shelf: Shelf, limit: int, by: dict[str, str]
) -> None:
    alerts = [an_alert_record(n, seen_at=SEEN_AT - timedelta(hours=9 * n)) for n in range(12)]
    for alert in alerts:
        shelf.add(alert)

    assert shelf.ids(limit, **by) == [alert.alert_id for alert in alerts]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({"device_id": "gate-3"}, [5, 3, 1]),
        ({"person_id": "ada"}, [5, 2, 1]),
        ({"device_id": "gate-3", "person_id": "ada"}, [5, 1]),
        ({"watchlist_id": "vip"}, [2]),
        ({"severity": "critical"}, [5, 3]),
        ({"severity": "critical", "device_id": "gate-3"}, [5, 3]),
        ({"state": "pending"}, [4]),
        ({"status": Status.OPEN}, [5, 4, 3, 2]),
        ({"status": Status.ACKNOWLEDGED}, [1]),
        ({"status": Status.RESOLVED}, []),
        ({"status": Status.OPEN, "severity": "high", "state": "sent"}, [2]),
        ({"device_id": "nowhere"}, []),
    ],
)
@pytest.mark.parametrize("limit", [1, 100])
def test_filters_leave_what_fits_all_of_them(
    shelf: Shelf, search: dict[str, Any], expected: list[int], limit: int
) -> None:
    for alert in (
        an_alert_record(1),
        an_alert_record(2, device_id="gate-4", watchlist_id="vip"),
        an_alert_record(3, person_id="grace", severity="critical"),
        an_alert_record(4, person_id="grace", device_id="gate-4", state="pending", sent_at=None),
        an_alert_record(5, severity="critical"),
    ):
        shelf.add(alert)
    shelf.alerts.save_review(an_alert_record(1).alert_id, REVIEW, seen=Review())

    assert shelf.ids(limit, **search) == [an_alert_record(n).alert_id for n in expected]


@pytest.mark.parametrize("by", [{}, {"device_id": "gate-3"}, {"person_id": "ada"}])
def test_a_window_includes_its_begin_and_excludes_its_end(shelf: Shelf, by: dict[str, str]) -> None:
    for number in range(5):
        shelf.add(an_alert_record(number))
    window = Window(SEEN_AT + timedelta(minutes=1), SEEN_AT + timedelta(minutes=3))

    assert shelf.ids(window=window, **by) == [an_alert_record(n).alert_id for n in (2, 1)]


def test_a_window_may_be_empty(shelf: Shelf) -> None:
    shelf.add(an_alert_record())

    assert shelf.ids(window=Window(SEEN_AT, SEEN_AT)) == []


def test_alerts_of_one_moment_are_all_listed(shelf: Shelf) -> None:
    for number in range(5):
        shelf.add(an_alert_record(number, seen_at=SEEN_AT))

    assert sorted(shelf.ids(2)) == [an_alert_record(n).alert_id for n in range(5)]


def test_a_page_goes_on_although_the_alert_at_its_end_is_gone(shelf: Shelf) -> None:
    shelf.add(an_alert_record(1))
    key = Place(SEEN_AT + timedelta(minutes=2), "al-forgotten").to_key()

    page = shelf.alerts.page(AlertSearch(window=EVER), PageRequest(limit=5, after=key))

    assert [alert.alert_id for alert in page.items] == [an_alert_record(1).alert_id]


@pytest.mark.parametrize("key", ["", "x", "x|y", "2026-11-22T13:02:07|al-1", "2026-11-22T13:02:07Z|al-1"])
def test_a_cursor_of_another_list_is_refused(shelf: Shelf, key: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        shelf.alerts.page(AlertSearch(window=EVER), PageRequest(limit=5, after=key))

    assert [each.field for each in refusal.value.errors] == ["cursor"]


def test_a_review_is_saved_only_as_the_alert_was_read(shelf: Shelf) -> None:
    alert = an_alert_record()
    shelf.add(alert)
    resolved = REVIEW.resolved(verdict=False, by="boss", at=SEEN_AT + timedelta(hours=1), note=None)

    assert shelf.alerts.save_review(alert.alert_id, REVIEW, seen=Review())
    assert not shelf.alerts.save_review(alert.alert_id, REVIEW, seen=Review())
    assert shelf.alerts.save_review(alert.alert_id, resolved, seen=REVIEW)
    assert not shelf.alerts.save_review(alert.alert_id, REVIEW, seen=REVIEW)

    assert shelf.alerts.find(alert.alert_id) == replace(alert, review=resolved)


def test_an_alert_that_is_gone_is_not_made_again_by_a_review(shelf: Shelf) -> None:
    assert not shelf.alerts.save_review("al-none", REVIEW, seen=Review())

    assert shelf.alerts.find("al-none") is None


def test_a_page_that_would_take_too_long_gives_the_place_it_has_come_to() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_alerts_table(client)
        for days in (1, 500, 999):
            alert = an_alert_record(days, seen_at=SEEN_AT - timedelta(days=days))
            client.put_item(TableName="alerts", Item=an_alert_item(alert))
        search = AlertSearch(window=Window(SEEN_AT - timedelta(days=1000), SEEN_AT))
        alerts = DynamoAlerts(client, "alerts")

        first = alerts.page(search, PageRequest())
        second = alerts.page(search, PageRequest(after=first.last_key))
        third = alerts.page(search, PageRequest(after=second.last_key))

    assert [[int(each.alert_id[3:], 16) for each in page.items] for page in (first, second, third)] == [
        [1],
        [500],
        [999],
    ]
    assert first.last_key is not None
    assert third.last_key is None
