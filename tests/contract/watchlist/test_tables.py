"""What the tables of people, faces and lists promise: the fakes of the unit tests, and DynamoDB."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from sightline.paging import PageRequest
from sightline.watchlist.dynamo import DynamoCatalogues, DynamoFaces, DynamoPeople
from sightline.watchlist.model import DEFAULT_WATCHLIST, MAX_WATCHLISTS, Catalogue, Face, Watchlist
from sightline.watchlist.ports import Catalogues, Faces, People
from tests.builders import a_face, a_person
from tests.fakes.tables import create_watchlist_tables
from tests.fakes.watchlist import FakeCatalogues, FakeFaces, FakePeople


@dataclass
class Tables:
    people: People
    faces: Faces
    catalogues: Catalogues


MOMENT = datetime(2026, 12, 31, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "dynamo"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    if request.param == "fake":
        yield Tables(FakePeople(), FakeFaces(), FakeCatalogues())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_watchlist_tables(client)
        yield Tables(
            DynamoPeople(client, "people"),
            DynamoFaces(client, "faces"),
            DynamoCatalogues(client, "watchlists"),
        )


def test_a_person_is_found_as_he_was_saved(tables: Tables) -> None:
    person = a_person(
        face_ids=("f-1", "f-2"),
        watchlist_ids=("vip", "staff"),
        notes="Analyst",
        expires_at=MOMENT,
        muted_until=MOMENT,
        similarity_threshold=92.5,
    )

    assert tables.people.save(person, replacing=None)

    assert tables.people.get("ada") == person
    assert tables.people.get("grace") is None


def test_a_person_id_is_given_once(tables: Tables) -> None:
    tables.people.save(a_person(), replacing=None)

    assert not tables.people.save(a_person(name="Somebody else"), replacing=None)

    assert tables.people.get("ada") == a_person()


def test_a_person_is_replaced_only_as_he_was_read(tables: Tables) -> None:
    first = a_person()
    tables.people.save(first, replacing=None)
    second = replace(first, face_ids=("f-1",), version=2)

    assert tables.people.save(second, replacing=first)
    assert not tables.people.save(replace(first, face_ids=("f-9",), version=2), replacing=first)

    assert tables.people.get("ada") == second


def test_a_person_who_is_gone_is_not_replaced(tables: Tables) -> None:
    assert not tables.people.save(a_person(version=2), replacing=a_person())

    assert tables.people.get("ada") is None


def test_a_person_is_removed_only_as_he_was_read_and_removing_him_again_is_fine(tables: Tables) -> None:
    first, second = a_person(), a_person(version=2)
    tables.people.save(first, replacing=None)
    tables.people.save(second, replacing=first)

    assert not tables.people.remove(first)
    assert tables.people.remove(second)
    assert tables.people.remove(second)

    assert tables.people.get("ada") is None


def test_people_come_a_page_at_a_time(tables: Tables) -> None:
    ids = [f"person-{n}" for n in range(5)]
    for person_id in ids:
        tables.people.save(a_person(person_id=person_id), replacing=None)

    found, after = [], None
    for _ in range(5):
        page = tables.people.page(PageRequest(limit=2, after=after))
        found += [person.person_id for person in page.items]
        after = page.last_key
        if after is None:
            break

    assert sorted(found) == ids


def test_a_face_added_again_stays_as_it_was(tables: Tables) -> None:
    first = a_face()
    tables.faces.add(first)

    again = tables.faces.add(a_face("grace", face_id=first.face_id))

    assert again == first


def test_the_faces_of_a_person_are_listed_and_found(tables: Tables) -> None:
    for n in range(3):
        tables.faces.add(a_face("ada", face_id=f"f-{n}"))
    tables.faces.add(a_face("grace"))

    first = tables.faces.of_person("ada", PageRequest(limit=2))
    second = tables.faces.of_person("ada", PageRequest(limit=2, after=first.last_key))

    assert [face.face_id for face in (*first.items, *second.items)] == ["f-0", "f-1", "f-2"]
    assert second.last_key is None
    assert tables.faces.find("ada", "f-1") == a_face("ada", face_id="f-1")
    assert tables.faces.find("grace", "f-1") is None


def test_a_removed_face_is_gone_and_removing_it_again_is_fine(tables: Tables) -> None:
    tables.faces.add(a_face())

    for _ in range(2):
        tables.faces.remove("face-of-ada")

    assert tables.faces.find("ada", "face-of-ada") is None


def test_the_people_on_a_list_are_found(tables: Tables) -> None:
    for person_id, lists in {"ada": ("vip", "staff"), "grace": ("staff",), "alan": ()}.items():
        tables.people.save(a_person(person_id=person_id, watchlist_ids=lists), replacing=None)

    found = tables.people.on_watchlist("staff")

    assert sorted(person.person_id for person in found) == ["ada", "grace"]
    assert list(tables.people.on_watchlist("nowhere")) == []


def test_a_face_becomes_what_its_person_is(tables: Tables) -> None:
    tables.faces.add(Face.of(a_person(), "f-1", MOMENT, "photo-1"))
    changed = a_person(
        name="Ada King", version=2, watchlist_ids=("vip",), expires_at=MOMENT, similarity_threshold=97.0
    )

    tables.faces.refresh("f-1", changed)

    assert tables.faces.find("ada", "f-1") == Face.of(changed, "f-1", MOMENT, "photo-1")


def test_what_a_person_has_no_more_leaves_the_face_too(tables: Tables) -> None:
    muted = a_person(muted_until=MOMENT, similarity_threshold=97.0)
    tables.faces.add(Face.of(muted, "f-1", MOMENT))

    tables.faces.refresh("f-1", a_person(version=2))

    assert tables.faces.find("ada", "f-1") == Face.of(a_person(version=2), "f-1", MOMENT)


def test_an_older_state_of_the_person_does_not_overwrite_a_newer_one(tables: Tables) -> None:
    newer = a_person(version=3, muted_until=MOMENT)
    tables.faces.add(Face.of(newer, "f-1", MOMENT))

    tables.faces.refresh("f-1", a_person(version=2))

    assert tables.faces.find("ada", "f-1") == Face.of(newer, "f-1", MOMENT)


def test_a_face_that_is_gone_is_not_made_again_by_a_change(tables: Tables) -> None:
    tables.faces.refresh("f-1", a_person())

    assert tables.faces.find("ada", "f-1") is None


def test_the_catalogue_begins_with_the_built_in_list(tables: Tables) -> None:
    catalogue = tables.catalogues.read()

    assert catalogue == Catalogue({}, 0)
    assert catalogue.lists == {"default": DEFAULT_WATCHLIST}


def test_the_catalogue_is_read_as_it_was_saved(tables: Tables) -> None:
    full = Watchlist("a", "A", "low", "block", "Security", "Banned", 92.5, MOMENT)
    catalogue = Catalogue().having(full)

    assert tables.catalogues.save(catalogue)
    assert tables.catalogues.save(catalogue.having(Watchlist("b", "B", kind="vip")))

    stored = tables.catalogues.read()
    assert stored.version == 2
    assert stored.stored == {"a": full, "b": Watchlist("b", "B", kind="vip")}


def test_the_catalogue_is_replaced_only_as_it_was_read(tables: Tables) -> None:
    first = Catalogue().having(Watchlist("a", "A"))
    tables.catalogues.save(first)

    assert not tables.catalogues.save(Catalogue().having(Watchlist("b", "B")))
    assert tables.catalogues.save(first.without("a"))
    assert not tables.catalogues.save(first.having(Watchlist("c", "C")))

    assert tables.catalogues.read() == Catalogue({}, 2)


def test_as_many_lists_as_there_may_be_fit_in_whatever_script(tables: Tables) -> None:
    texts = {"name": "\U00020000" * 60, "owner": "\U00020000" * 100, "reason": "\U00020000" * 200}
    lists = {
        f"{n:03}" + "x" * 60: Watchlist(
            f"{n:03}" + "x" * 60,
            severity="critical",
            similarity_threshold=92.12345,
            expires_at=MOMENT,
            **texts,
        )
        for n in range(MAX_WATCHLISTS)
    }

    assert tables.catalogues.save(Catalogue(lists, 1))

    assert len(tables.catalogues.read().stored) == MAX_WATCHLISTS
