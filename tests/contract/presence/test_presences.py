"""What kept presences promise: the fake of the unit tests, and DynamoDB."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest
from moto import mock_aws

from sightline.presence.dynamo import DynamoPresences
from sightline.presence.dynamo_walk import DynamoKeptPresences
from sightline.presence.model import Change, Presence, PresenceSearch, Seen, Stored, seen_again
from sightline.presence.row import read_seen
from sightline.presence.service import KeptPresences, Presences
from tests.builders import SEEN_AT, a_sighting_row
from tests.fakes.presence import FakePresences
from tests.fakes.tables import create_table

KEPT = timedelta(days=30)
EVERYBODY = PresenceSearch()


def now() -> datetime:
    return SEEN_AT + timedelta(minutes=1)


class Open(Protocol):
    def __call__(self) -> Presences:
        """A worker that knows nothing yet."""
        ...


class Kept:
    """The same presences for those who write and those who read."""

    def __init__(self, open_writer: Open, reader: KeptPresences) -> None:
        self.writer = open_writer
        self.reader = reader


@pytest.fixture(params=["fake", "dynamo"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "fake":
        fake = FakePresences(step=3)
        yield Kept(lambda: FakePresences(fake.stored), fake)
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        indexes = {"by_site": ["site", "person_id"], "by_device": ["device_id", "person_id"]}
        create_table(client, "presence", ["person_id"], **indexes)
        yield Kept(
            lambda: DynamoPresences(client, "presence", KEPT), DynamoKeptPresences(client, "presence", now)
        )


def seen(at_seconds: float = 0.0, **changes: Any) -> Seen:
    found = read_seen(json.dumps(a_sighting_row(at_seconds, **changes)).encode())
    assert found is not None
    return found


def presence(*sightings: Seen) -> Presence:
    made = seen_again(None, sightings)
    assert made is not None
    return made


def people(kept: Kept, search: PresenceSearch, after: str | None = None) -> list[str]:
    """Those who may be found, in order."""
    found = []
    for some, reached in kept.reader.walk(search, after):
        found += [each.person_id for each in some if search.finds(each, now(), KEPT)]
        if reached is None:
            break
    return found


def test_nobody_is_there_before_somebody_was_seen(kept: Kept) -> None:
    assert kept.writer().read(["ada"]) == {"ada": Stored(0, None)}
    assert kept.reader.one("ada") is None
    assert people(kept, EVERYBODY) == []


def test_a_presence_comes_back_as_it_was_written(kept: Kept) -> None:
    written = presence(
        seen(0.123, visit_id="vi-0", device_id="gate-1"), seen(7), seen(5, site=None, person_name=None)
    )

    assert kept.writer().write([Change(written, 0)]) == {}

    assert kept.writer().read(["ada", "grace"]) == {"ada": Stored(1, written), "grace": Stored(0, None)}
    assert kept.reader.one("ada") == written


def test_one_who_was_never_at_a_site_or_has_no_name_is_kept_too(kept: Kept) -> None:
    written = presence(seen(site=None, person_name=None))

    kept.writer().write([Change(written, 0)])

    assert kept.reader.one("ada") == written
    assert people(kept, PresenceSearch(site="Harbour")) == []


def test_whoever_writes_goes_on_from_its_own_version(kept: Kept) -> None:
    writer = kept.writer()
    writer.write([Change(presence(seen(0)), 0)])

    (first,) = writer.read(["ada"]).values()
    lost = writer.write([Change(presence(seen(0), seen(1)), first.version)])

    assert (first.version, lost) == (1, {})
    assert kept.writer().read(["ada"])["ada"] == Stored(2, presence(seen(0), seen(1)))


def test_whoever_comes_second_is_told_what_the_first_one_wrote(kept: Kept) -> None:
    slow, quick = kept.writer(), kept.writer()
    slow.read(["ada", "grace"])
    quick.write([Change(presence(seen(0)), 0)])

    late, other = presence(seen(9)), presence(seen(9, person_id="grace"))
    lost = slow.write([Change(late, 0), Change(other, 0)])

    assert lost == {"ada": Stored(1, presence(seen(0)))}
    assert kept.reader.one("grace") == other
    assert slow.write([Change(late, 1)]) == {}
    assert kept.reader.one("ada") == late


def test_an_older_version_never_takes_the_place_of_a_newer_one(kept: Kept) -> None:
    slow, quick = kept.writer(), kept.writer()
    slow.write([Change(presence(seen(0)), 0)])
    quick.read(["ada"])
    quick.write([Change(presence(seen(5)), 1)])

    assert slow.write([Change(presence(seen(1)), 1)]) == {"ada": Stored(2, presence(seen(5)))}
    assert kept.reader.one("ada") == presence(seen(5))


def test_two_hundred_and_fifty_people_are_read_and_written_at_once(kept: Kept) -> None:
    names = [f"person-{n:03}" for n in range(250)]
    everybody = [presence(seen(person_id=name)) for name in names]

    kept.writer().write([Change(each, 0) for each in everybody])

    found = kept.writer().read(names)
    assert [found[name].presence for name in names] == everybody
    assert sorted(people(kept, EVERYBODY)) == names
    assert people(kept, PresenceSearch(site="Harbour")) == names
    assert people(kept, PresenceSearch(device_id="gate-3"), after="person-123") == names[124:]


def test_people_are_found_where_they_are_and_no_longer_where_they_were(kept: Kept) -> None:
    writer = kept.writer()
    writer.write([Change(presence(seen(person_id=name)), 0) for name in ("ada", "grace")])
    gone = presence(seen(person_id="ada"), seen(9, person_id="ada", device_id="gate-4", site="Airport"))
    writer.write([Change(gone, 1)])

    assert people(kept, PresenceSearch(site="Harbour")) == ["grace"]
    assert people(kept, PresenceSearch(site="Airport")) == ["ada"]
    assert people(kept, PresenceSearch(device_id="gate-3")) == ["grace"]
    assert people(kept, PresenceSearch(device_id="gate-4", site="Airport")) == ["ada"]
    assert people(kept, PresenceSearch(device_id="gate-4", site="Harbour")) == []
