"""What kept sightings promise: the fake of the unit tests, and DynamoDB."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.errors import RejectedError
from sightline.history.dynamo import DynamoKeptSightings
from sightline.history.model import SightingRow, SightingSearch
from sightline.history.row import read_row
from sightline.history.service import KeptSightings
from sightline.paging import PageRequest
from sightline.timeline import ALWAYS, Window
from tests.builders import SEEN_AT, a_sighting_row
from tests.fakes.aws_clients import FakeAws
from tests.fakes.history import FakeKeptSightings
from tests.fakes.tables import create_sightings_table

KEPT = timedelta(days=30)


def now() -> datetime:
    return SEEN_AT + timedelta(minutes=1)


def no_pause(_seconds: float) -> None:
    raise AssertionError("moto is never busy")


def a_row(at_seconds: float = 0.0, **changes: Any) -> SightingRow:
    return read_row(json.dumps(a_sighting_row(at_seconds, **changes)).encode())


@pytest.fixture(params=["fake", "dynamo"])
def kept(request: pytest.FixtureRequest) -> Iterator[KeptSightings]:
    if request.param == "fake":
        yield FakeKeptSightings()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_sightings_table(client)
        yield DynamoKeptSightings(client, "sightings", KEPT, now, no_pause)


def ids(
    kept: KeptSightings,
    device_id: str | None = None,
    person_id: str | None = None,
    window: Window = ALWAYS,
    limit: int = 100,
) -> list[str]:
    """Every page, in order."""
    found: list[str] = []
    after = None
    for _ in range(100):
        search = SightingSearch(device_id, person_id, window)
        page = kept.page(search, PageRequest(limit=limit, after=after))
        assert len(page.items) <= limit
        found += [row["sighting_id"] for row in page.items]
        after = page.last_key
        if after is None:
            return found
    raise AssertionError("the list has no end")


def test_a_row_comes_back_as_it_was_written(kept: KeptSightings) -> None:
    row = a_sighting_row(member_of_a_later_version={"x": [1.5e9]})
    kept.put([read_row(json.dumps(row).encode())])

    page = kept.page(SightingSearch("gate-3", None), PageRequest())

    assert page.items == (row,)


def test_a_row_put_twice_is_one(kept: KeptSightings) -> None:
    assert kept.put([a_row(), a_row(1), a_row()]) == frozenset()
    assert kept.put([a_row()]) == frozenset()

    assert len(ids(kept, "gate-3")) == 2


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_sightings_of_a_device_or_a_person_come_newest_first_and_once_each(
    kept: KeptSightings, limit: int
) -> None:
    at_gate_3 = [a_row(float(n)) for n in range(30)]
    at_gate_4 = [a_row(float(n), device_id="gate-4") for n in range(3)]
    kept.put([*at_gate_3, *at_gate_4, a_row(2.0, person_id="grace")])

    of_gate_3, of_ada = ids(kept, "gate-3", limit=limit), ids(kept, person_id="ada", limit=limit)

    assert of_gate_3[0] == at_gate_3[-1].sighting_id
    assert sorted(of_gate_3) == sorted(
        [*(row.sighting_id for row in at_gate_3), a_row(2.0, person_id="grace").sighting_id]
    )
    assert sorted(of_ada) == sorted(row.sighting_id for row in [*at_gate_3, *at_gate_4])
    assert ids(kept, "gate-4", "ada", limit=limit) == [row.sighting_id for row in reversed(at_gate_4)]


def test_a_face_without_a_match_is_kept_for_its_device(kept: KeptSightings) -> None:
    row = a_row(person_id=None, visit_id=None, similarity=None, site=None)
    kept.put([row])

    assert ids(kept, "gate-3") == [row.sighting_id]
    assert ids(kept, person_id="ada") == []


def test_a_window_includes_its_begin_and_excludes_its_end(kept: KeptSightings) -> None:
    kept.put([a_row(float(n)) for n in range(5)])
    window = Window(SEEN_AT + timedelta(seconds=1), SEEN_AT + timedelta(seconds=3))

    assert ids(kept, "gate-3", window=window) == [a_row(2.0).sighting_id, a_row(1.0).sighting_id]
    assert [each.moment_key for each in kept.glimpses("ada", window, None)] == [
        a_row(1.0).moment_key,
        a_row(2.0).moment_key,
    ]


def test_glimpses_come_in_order_of_time_from_a_place_on(kept: KeptSightings) -> None:
    rows = [a_row(float(n), device_id=f"gate-{n % 2}") for n in range(4)]
    kept.put(rows[::-1])

    found = list(kept.glimpses("ada", ALWAYS, rows[1].moment_key))

    assert [each.moment_key for each in found] == [row.moment_key for row in rows[1:]]
    assert found[0].device_id == "gate-1"
    assert found[0].site == "Harbour"
    assert found[0].visit_id == "vi-1"
    assert found[0].similarity_percent == 99.0


def test_a_sighting_of_no_visit_is_one_by_itself(kept: KeptSightings) -> None:
    row = a_row(visit_id=None, similarity=None)
    kept.put([row])

    assert [each.visit_id for each in kept.glimpses("ada", ALWAYS, None)] == [row.sighting_id]


def test_a_cursor_of_another_list_is_refused_or_ends_the_list(kept: KeptSightings) -> None:
    kept.put([a_row()])

    with pytest.raises(RejectedError):
        kept.page(SightingSearch("gate-3", None), PageRequest(after="person-7"))
    later = Window(SEEN_AT - timedelta(days=1), None)
    assert kept.page(SightingSearch("gate-3", None, later), PageRequest(after="2020#x")).items == ()


def test_an_expired_sighting_is_not_shown_although_the_table_still_has_it() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_sightings_table(client)
        kept = DynamoKeptSightings(
            client, "sightings", KEPT, lambda: SEEN_AT + timedelta(days=30, seconds=5), no_pause
        )
        kept.put([a_row(float(n)) for n in range(10)])

        assert ids(kept, "gate-3", limit=2) == [a_row(float(n)).sighting_id for n in (9, 8, 7, 6)]
        assert len(list(kept.glimpses("ada", ALWAYS, None))) == 4


def test_what_a_busy_table_leaves_undone_goes_again_and_alone() -> None:
    aws, pauses = FakeAws(), []
    left = {"UnprocessedItems": {"sightings": [{"PutRequest": {"Item": {"sighting_id": {"S": "si-2"}}}}]}}
    aws.answers[("dynamodb", "BatchWriteItem")] = [left, left, {"UnprocessedItems": {}}]
    kept = DynamoKeptSightings(aws.client("dynamodb"), "sightings", KEPT, now, pauses.append)

    refused = kept.put([a_row(1), a_row(2)])

    assert refused == frozenset()
    assert [len(call["RequestItems"]["sightings"]) for _, _, call in aws.calls] == [2, 1, 1]
    assert pauses == [0.05, 0.2]


def test_what_is_never_taken_is_told_by_its_id_and_the_other_chunks_go_in() -> None:
    aws = FakeAws()

    def refuse_first_row(call: dict[str, Any]) -> dict[str, Any]:
        items = call["RequestItems"]["sightings"]
        first = [each for each in items if each["PutRequest"]["Item"]["sighting_id"]["S"].endswith("-0.0")]
        return {"UnprocessedItems": {"sightings": first} if first else {}}

    aws.answers[("dynamodb", "BatchWriteItem")] = refuse_first_row
    kept = DynamoKeptSightings(aws.client("dynamodb"), "sightings", KEPT, now, lambda _: None)
    rows = [a_row(float(n)) for n in range(60)]

    assert kept.put(rows) == {rows[0].sighting_id}
    assert [len(call["RequestItems"]["sightings"]) for _, _, call in aws.calls] == [25, 1, 1, 1, 25, 10]


def test_a_table_that_refuses_everything_loses_nothing() -> None:
    aws = FakeAws()
    aws.answers[("dynamodb", "BatchWriteItem")] = "AccessDeniedException"
    kept = DynamoKeptSightings(aws.client("dynamodb"), "sightings", KEPT, now, no_pause)

    assert kept.put([a_row(), a_row(1)]) == {a_row().sighting_id, a_row(1).sighting_id}
