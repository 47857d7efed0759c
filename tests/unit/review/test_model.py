"""What may become of an alert."""

from datetime import timedelta

import pytest

from sightline.errors import ConflictError
from sightline.review.model import Review, Status
from tests.builders import SEEN_AT, an_alert_record

LATER = SEEN_AT + timedelta(minutes=5)
ACKNOWLEDGED = Review().acknowledged(by="ada", at=SEEN_AT, note="on my way")


def test_an_open_alert_is_acknowledged_with_who_and_when() -> None:
    assert ACKNOWLEDGED.to_json() == {
        "status": "acknowledged",
        "by": "ada",
        "at": "2026-11-22T13:02:07.000Z",
        "verdict": None,
        "note": "on my way",
        "acknowledged_by": "ada",
        "acknowledged_at": "2026-11-22T13:02:07.000Z",
    }


def test_whoever_acknowledges_second_changes_nothing() -> None:
    assert ACKNOWLEDGED.acknowledged(by="grace", at=LATER, note="me too") == ACKNOWLEDGED


def test_resolving_keeps_who_had_acknowledged() -> None:
    resolved = ACKNOWLEDGED.resolved(verdict=False, by="grace", at=LATER, note=None)

    assert (resolved.status, resolved.verdict, resolved.by, resolved.at) == (
        Status.RESOLVED,
        False,
        "grace",
        LATER,
    )
    assert (resolved.acknowledged_by, resolved.acknowledged_at) == ("ada", SEEN_AT)
    assert resolved.note == "on my way"


def test_an_alert_may_be_resolved_without_being_acknowledged() -> None:
    resolved = Review().resolved(verdict=True, by="ada", at=SEEN_AT, note="taken to the office")

    assert (resolved.status, resolved.acknowledged_by, resolved.note) == (
        Status.RESOLVED,
        None,
        "taken to the office",
    )


@pytest.mark.parametrize("verdict", [True, False])
def test_a_verdict_said_again_changes_nothing_and_the_opposite_is_refused(verdict: bool) -> None:
    resolved = Review().resolved(verdict=verdict, by="ada", at=SEEN_AT, note=None)

    assert resolved.resolved(verdict=verdict, by="grace", at=LATER, note="again") == resolved
    with pytest.raises(ConflictError, match="a verdict is final"):
        resolved.resolved(verdict=not verdict, by="grace", at=LATER, note=None)


def test_a_resolved_alert_is_not_acknowledged_any_more() -> None:
    resolved = Review().resolved(verdict=True, by="ada", at=SEEN_AT, note=None)

    with pytest.raises(ConflictError):
        resolved.acknowledged(by="ada", at=LATER, note=None)


def test_an_alert_is_what_was_published_and_what_became_of_it() -> None:
    told = an_alert_record(person_id="grace").to_json()

    assert told["person"] == {"id": "grace", "name": "Ada Lovelace"}
    assert told["state"] == "sent"
    assert told["sent_at"] == "2026-11-22T13:03:08.200Z"
    assert told["review"]["status"] == "open"
    assert an_alert_record(state="pending", sent_at=None).to_json()["sent_at"] is None
