"""What the consumer wrote is what people find, and what they noted survives whatever comes again."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sightline.history.dynamo import DynamoKeptSightings
from sightline.history.model import SightingSearch
from sightline.history.row import read_row
from sightline.paging import PageRequest
from sightline.review.dynamo import DynamoAlerts
from sightline.review.model import AlertSearch, Review
from sightline.timeline import Window
from tests.builders import SEEN_AT, a_face_record, a_kinesis_event, a_match

Consume = Callable[[dict[str, Any]], list[str]]
DAY = timedelta(days=1)
EVENT = a_kinesis_event(
    *(a_face_record(float(n), [a_match(face_id="ed1b560f-d6af-5158-989a-ff586c931545")]) for n in range(3))
)


def test_a_raised_alert_is_found_by_every_way_there_is(aws: Any, consume: Consume) -> None:
    consume(EVENT)
    (envelope,) = aws.alerts()
    alerts = DynamoAlerts(aws.dynamodb, "alerts")
    window = Window(SEEN_AT - DAY, SEEN_AT + DAY)

    for search in (
        AlertSearch(window),
        AlertSearch(window, device_id="gate-3", state="sent"),
        AlertSearch(window, person_id="ada", watchlist_id="default", severity="high"),
    ):
        (found,) = alerts.page(search, PageRequest()).items
        assert json.loads(envelope["Message"]) == found.body
        assert found.sent_at is not None


def test_a_review_survives_the_batch_that_comes_again(aws: Any, consume: Consume) -> None:
    consume(EVENT)
    alerts = DynamoAlerts(aws.dynamodb, "alerts")
    (found,) = alerts.page(AlertSearch(Window(SEEN_AT - DAY, SEEN_AT + DAY)), PageRequest()).items
    review = Review().acknowledged(by="operator", at=SEEN_AT, note=None)
    assert alerts.save_review(found.alert_id, review, seen=found.review)

    consume(EVENT)

    again = alerts.find(found.alert_id)
    assert again is not None
    assert again.review == review


def test_the_consumer_s_rows_can_be_indexed(aws: Any, consume: Consume) -> None:
    consume(EVENT)
    rows = [{name: value for name, value in row.items() if name != "key"} for row in aws.rows()]
    kept = DynamoKeptSightings(aws.dynamodb, "sightings", DAY, lambda: SEEN_AT, lambda _: None)

    assert kept.put([read_row(json.dumps(row).encode()) for row in rows]) == frozenset()

    page = kept.page(SightingSearch(None, "ada"), PageRequest())
    assert list(page.items) == rows[::-1]
    assert len(rows) == 3
