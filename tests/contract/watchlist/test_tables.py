"""What the tables of people and faces promise: the fakes of the unit tests, and DynamoDB."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import boto3
import pytest
from moto import mock_aws

from sightline.paging import PageRequest
from sightline.watchlist.dynamo import DynamoFaces, DynamoPeople
from sightline.watchlist.service import Faces, People
from tests.builders import a_face, a_person
from tests.fakes.tables import create_watchlist_tables
from tests.fakes.watchlist import FakeFaces, FakePeople


@dataclass
class Tables:
    people: People
    faces: Faces


@pytest.fixture(params=["fake", "dynamo"])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    if request.param == "fake":
        yield Tables(FakePeople(), FakeFaces())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_watchlist_tables(client)
        yield Tables(DynamoPeople(client, "people"), DynamoFaces(client, "faces"))


def test_a_person_is_found_as_he_was_saved(tables: Tables) -> None:
    person = a_person(face_ids=("f-1", "f-2"))

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
