"""What every table of visits promises: the fake of the unit tests, and DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.alerts.dynamo import DynamoVisits
from sightline.alerts.dynamo_alerts import DynamoPendingAlerts, DynamoWitness
from sightline.alerts.model import notification_of
from sightline.alerts.service import Visits
from sightline.alerts.visit import Run
from sightline.alerts.visit_log import Lease, VisitLog
from sightline.clock import to_iso
from tests.builders import a_face, a_sighting
from tests.fakes.alerts import FakeVisits
from tests.fakes.tables import create_alert_tables, create_sightings_table

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
        create_alert_tables(client)
        yield DynamoVisits(client, "visits", "alerts", timedelta(days=30))


def claimed(at_seconds: float = 0.0, log: VisitLog | None = None) -> VisitLog:
    """A log with one more visit, and its alert pending."""
    log = log or VisitLog("gate-3", "ada")
    run = Run((a_sighting(at_seconds, person=a_face(name="Ada Ł. „Lovelace“")),))
    visit = log.place(run, GAP).visit.met(run, [run.first_seen_at])
    return log.claimed(visit, notification_of(run, visit.visit_id), run, LEASE, NOW)


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


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_alert_tables(client)
        create_sightings_table(client)
        yield client


def tables(client: Any) -> DynamoVisits:
    return DynamoVisits(client, "visits", "alerts", timedelta(days=30))


def alert_item(client: Any, alert_id: str) -> dict[str, Any]:
    item: dict[str, Any] = client.get_item(TableName="alerts", Key={"alert_id": {"S": alert_id}}).get(
        "Item", {}
    )
    return item


def test_a_claim_is_read_back_from_the_visits(visits: Visits) -> None:
    claim = visits.claim(claimed())

    assert claim.is_done
    assert stored(visits) == claim.stored


def test_a_claim_that_comes_second_changes_nothing(visits: Visits) -> None:
    first = visits.claim(claimed()).stored

    second = visits.claim(claimed(5))

    assert not second.is_done
    assert second.stored == first == stored(visits)


def test_votes_and_followers_survive_being_stored(visits: Visits) -> None:
    run = Run((a_sighting(1),))
    visit = VisitLog("gate-3", "ada").place(run, GAP).visit.met(run, [run.first_seen_at])
    log = VisitLog("gate-3", "ada").holding(replace(visit, followers=frozenset({"process-1", "process-2"})))

    visits.write(log)

    assert stored(visits).visits == log.visits


def test_a_claimed_alert_stands_for_itself_until_it_is_sent(dynamodb: Any) -> None:
    visits, pending = tables(dynamodb), DynamoPendingAlerts(dynamodb, "alerts")
    log = visits.claim(claimed()).stored
    assert log.alert is not None

    (waiting,) = pending.oldest(10)
    before = alert_item(dynamodb, log.alert.alert_id)
    visits.settle(log.sent(), NOW + timedelta(seconds=2))
    after = alert_item(dynamodb, log.alert.alert_id)

    assert waiting.notification == log.alert.notification
    assert (waiting.device_id, waiting.person_id, waiting.pending_since) == ("gate-3", "ada", NOW)
    assert (before["alert_state"], before["pending"]) == ({"S": "pending"}, {"S": "1"})
    assert after["alert_state"] == {"S": "sent"}
    assert after["sent_at"] == {"S": "2026-11-22T13:02:10.250Z"}
    assert not {"pending", "pending_since"} & after.keys()
    assert after["day"] == {"S": "2026-11-22"}
    assert after["body"] == {"S": log.alert.notification.body}
    assert pending.oldest(10) == []
    assert visits.read("gate-3", "ada").pending is None


def test_what_people_noted_about_an_alert_outlives_its_mark(dynamodb: Any) -> None:
    visits = tables(dynamodb)
    log = visits.claim(claimed()).stored
    assert log.alert is not None
    key = {"alert_id": {"S": log.alert.alert_id}}
    dynamodb.update_item(
        TableName="alerts",
        Key=key,
        UpdateExpression="SET review = :r",
        ExpressionAttributeValues={":r": {"M": {"status": {"S": "acknowledged"}}}},
    )

    visits.settle(log.sent(), NOW)

    assert alert_item(dynamodb, log.alert.alert_id)["review"] == {"M": {"status": {"S": "acknowledged"}}}


def test_an_alert_that_was_erased_meanwhile_does_not_come_back_as_a_ghost(dynamodb: Any) -> None:
    visits = tables(dynamodb)
    log = visits.claim(claimed()).stored
    assert log.alert is not None
    dynamodb.delete_item(TableName="alerts", Key={"alert_id": {"S": log.alert.alert_id}})

    settled = visits.settle(log.sent(), NOW)
    DynamoPendingAlerts(dynamodb, "alerts").settle(log.alert.alert_id, NOW)

    assert settled.is_done
    assert visits.read("gate-3", "ada") == settled.stored
    assert alert_item(dynamodb, log.alert.alert_id) == {}


def test_pending_alerts_come_oldest_first(dynamodb: Any) -> None:
    visits = tables(dynamodb)
    for number, person in enumerate(["grace", "ada", "alan"]):
        log = replace(claimed(number), person_id=person)
        assert log.alert is not None
        visits.claim(replace(log, alert=replace(log.alert, raised_at=NOW - timedelta(seconds=number))))

    found = DynamoPendingAlerts(dynamodb, "alerts").oldest(2)

    assert [each.pending_since for each in found] == [NOW - timedelta(seconds=2), NOW - timedelta(seconds=1)]


def test_the_witness_finds_the_latest_sighting_strictly_between(dynamodb: Any) -> None:
    for second, device in ((0, "gate-3"), (10, "gate-3"), (20, "gate-4"), (60, "gate-3")):
        moment = to_iso(NOW + timedelta(seconds=second))
        item = {"device_id": device, "moment_key": f"{moment}#si-{second}", "person_id": "ada"}
        dynamodb.put_item(TableName="sightings", Item={name: {"S": value} for name, value in item.items()})
    witness = DynamoWitness(dynamodb, "sightings")

    seen = witness.last_seen("gate-3", "ada", after=NOW, before=NOW + timedelta(seconds=60))
    nobody = witness.last_seen(
        "gate-3", "ada", after=NOW + timedelta(seconds=10), before=NOW + timedelta(seconds=60)
    )

    assert seen == NOW + timedelta(seconds=10)
    assert nobody is None
