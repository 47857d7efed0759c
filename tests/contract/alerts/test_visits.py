"""What every table of visits promises: the fake of the unit tests, and DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from sightline.alerts.dynamo import DynamoVisits
from sightline.alerts.model import notification_of
from sightline.alerts.service import Visits
from sightline.alerts.visit import Run
from sightline.alerts.visit_log import Lease, VisitLog
from tests.builders import a_face, a_sighting
from tests.fakes.alerts import FakeVisits

NOW = datetime(2026, 11, 22, 13, 2, 8, 250_000, tzinfo=UTC)
GAP = timedelta(seconds=60)
LEASE = Lease("process/1", NOW + timedelta(seconds=30))


@pytest.fixture(params=["fake", "dynamo"])
def visits(request: pytest.FixtureRequest) -> Iterator[Visits]:
    if request.param == "fake":
        yield FakeVisits()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="visits",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "device_id", "AttributeType": "S"},
                {"AttributeName": "person_id", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "device_id", "KeyType": "HASH"},
                {"AttributeName": "person_id", "KeyType": "RANGE"},
            ],
        )
        yield DynamoVisits(client, "visits")


def claimed(at_seconds: float = 0.0, log: VisitLog | None = None) -> VisitLog:
    """A log with one more visit, and its alert pending."""
    log = log or VisitLog("gate-3", "ada")
    run = Run((a_sighting(at_seconds, person=a_face(name="Ada Ł. „Lovelace“")),))
    place = log.place(run, GAP)
    return log.claimed(place, notification_of(run, place.visit.visit_id), LEASE, NOW)


def stored(visits: Visits) -> VisitLog:
    """What a writer who knows nothing is told."""
    write = visits.write(claimed(9_999))
    assert not write.is_done
    return write.stored


def test_the_first_write_succeeds_and_answers_the_next_revision(visits: Visits) -> None:
    log = claimed()

    write = visits.write(log)

    assert write.is_done
    assert write.stored == replace(log, revision=1)


def test_whoever_comes_second_learns_what_the_first_one_wrote(visits: Visits) -> None:
    log = claimed()
    visits.write(log)

    second = visits.write(claimed(5))

    assert not second.is_done
    assert second.stored == replace(log, revision=1)


def test_a_write_follows_the_one_it_is_based_on(visits: Visits) -> None:
    first = visits.write(claimed()).stored

    sent = visits.write(first.sent())

    assert sent.is_done
    assert stored(visits) == sent.stored
    assert sent.stored.pending is None


def test_a_write_that_is_based_on_an_older_revision_changes_nothing(visits: Visits) -> None:
    first = visits.write(claimed()).stored
    second = visits.write(first.sent()).stored

    late = visits.write(first.leased(None))

    assert not late.is_done
    assert late.stored == second == stored(visits)


def test_a_lease_can_be_given_up_and_taken(visits: Visits) -> None:
    first = visits.write(claimed()).stored

    given_up = visits.write(first.leased(None)).stored
    taken = visits.write(given_up.leased(LEASE)).stored

    assert given_up.alert is not None
    assert given_up.alert.lease is None
    assert stored(visits) == taken
    assert taken.alert is not None
    assert taken.alert.lease == LEASE


def test_forgotten_visits_leave_their_mark(visits: Visits) -> None:
    log = VisitLog("gate-3", "ada")
    for n in range(10):
        log = visits.write(claimed(n * 1_000.0, log)).stored

    assert stored(visits) == log
    assert log.forgotten_until is not None


def test_a_write_to_an_item_that_was_erased_is_told_so(visits: Visits) -> None:
    gone = replace(claimed(), revision=7)

    write = visits.write(gone)

    assert not write.is_done
    assert write.stored == VisitLog("gate-3", "ada")


def test_people_and_devices_do_not_share_visits(visits: Visits) -> None:
    visits.write(claimed())

    other_person = visits.write(replace(claimed(), person_id="grace"))
    other_device = visits.write(replace(claimed(), device_id="gate-4"))

    assert other_person.is_done
    assert other_device.is_done
