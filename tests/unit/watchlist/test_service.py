from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from sightline.errors import ConflictError, NotFoundError, RejectedError, UnavailableError
from sightline.paging import PageRequest
from sightline.watchlist.model import MAX_FACES_PER_PERSON, FoundFace
from sightline.watchlist.photo import Photo
from sightline.watchlist.service import Enrolment
from tests.builders import a_person
from tests.fakes.devices import FakeClock
from tests.fakes.watchlist import FakeCollection, FakeFaces, FakePeople

PHOTO, OTHER_PHOTO = Photo(b"one", 640, 480), Photo(b"another", 640, 480)


@dataclass
class World:
    people: FakePeople = field(default_factory=lambda: FakePeople({"ada": a_person()}))
    faces: FakeFaces = field(default_factory=FakeFaces)
    collection: FakeCollection = field(default_factory=FakeCollection)

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(self.people, self.faces, self.collection, FakeClock(), lambda: "person-1")

    @property
    def has_no_face(self) -> bool:
        return not self.faces.faces and not self.collection.indexed


def test_a_person_is_added_once_and_answered_ever_after() -> None:
    world = World()

    first = world.enrolment.add_person("Grace Hopper", "grace")
    second = world.enrolment.add_person("Somebody else", "grace")

    assert first[1] is True
    assert second == (first[0], False)


def test_a_person_without_an_id_gets_one() -> None:
    person, _ = World().enrolment.add_person("Grace Hopper", None)

    assert person.person_id == "person-1"


def test_a_face_is_enrolled_in_the_collection_and_in_the_table() -> None:
    world = World()

    face, is_new = world.enrolment.enrol_face("ada", PHOTO)

    assert is_new
    assert (face.person_id, face.person_name, face.watchlist_ids) == ("ada", "Ada Lovelace", ("default",))
    assert world.collection.indexed == {face.face_id: "ada"}
    assert world.faces.faces == {face.face_id: face}
    assert world.people.people["ada"].face_ids == (face.face_id,)


def test_the_same_photo_again_is_the_same_face() -> None:
    world = World()
    first, _ = world.enrolment.enrol_face("ada", PHOTO)

    second, is_new = world.enrolment.enrol_face("ada", PHOTO)

    assert (second, is_new) == (first, False)
    assert world.people.people["ada"].face_ids == (first.face_id,)


def test_a_photo_that_is_somebody_elses_is_refused_and_stays_his() -> None:
    world = World(collection=FakeCollection(owner="grace"))

    with pytest.raises(ConflictError, match="another person"):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.collection.indexed
    assert world.faces.faces == {}


@pytest.mark.parametrize(
    ("collection", "detail"),
    [
        (FakeCollection(found=[]), "No face"),
        (FakeCollection(found=[FoundFace(0.3, 0.3, 99)] * 2), "Two faces"),
        (FakeCollection(reasons=("LOW_SHARPNESS",)), "not sharp"),
    ],
)
def test_a_photo_that_will_not_do_changes_nothing(collection: FakeCollection, detail: str) -> None:
    world = World(collection=collection)

    with pytest.raises(RejectedError, match=detail):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.has_no_face


def test_a_face_that_cannot_be_stored_does_not_stay_in_the_collection() -> None:
    world = World(faces=FakeFaces(is_down=True))

    with pytest.raises(UnavailableError):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.has_no_face


def test_a_known_face_that_cannot_be_stored_again_stays() -> None:
    world = World()
    face, _ = world.enrolment.enrol_face("ada", PHOTO)
    world.faces.is_down = True

    with pytest.raises(UnavailableError):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.collection.indexed == {face.face_id: "ada"}


class PeopleMeanwhile(FakePeople):
    """Something happens just before a write."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def save(self, person, *, replacing):  # type: ignore[no-untyped-def]
        self.happen()
        return super().save(person, replacing=replacing)

    def remove(self, person):  # type: ignore[no-untyped-def]
        self.happen()
        return super().remove(person)

    def happen(self) -> None:
        now, self.meanwhile = self.meanwhile, lambda: None
        now()


def test_a_person_removed_while_a_face_is_enrolled_leaves_no_face_behind() -> None:
    people = PeopleMeanwhile({"ada": a_person()})
    world = World(people=people)
    people.meanwhile = lambda: world.enrolment.remove_person("ada")

    with pytest.raises(NotFoundError):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.has_no_face
    assert world.people.people == {}


def test_a_face_enrolled_while_a_person_is_removed_goes_too() -> None:
    people = PeopleMeanwhile({"ada": a_person()})
    world = World(people=people)
    people.meanwhile = lambda: (world.enrolment.enrol_face("ada", PHOTO), None)[1]

    world.enrolment.remove_person("ada")

    assert world.has_no_face
    assert world.people.people == {}


def test_two_faces_enrolled_at_once_are_both_kept() -> None:
    people = PeopleMeanwhile({"ada": a_person()})
    world = World(people=people)
    people.meanwhile = lambda: (world.enrolment.enrol_face("ada", OTHER_PHOTO), None)[1]

    world.enrolment.enrol_face("ada", PHOTO)

    assert set(world.people.people["ada"].face_ids) == set(world.faces.faces)
    assert len(world.faces.faces) == 2


def test_a_person_goes_with_all_faces_even_those_the_index_does_not_show_yet() -> None:
    world = World()
    world.enrolment.enrol_face("ada", PHOTO)
    world.faces.indexed = {}

    world.enrolment.remove_person("ada")

    assert world.has_no_face
    assert world.people.people == {}


def test_a_removal_that_failed_half_way_can_be_repeated() -> None:
    world = World()
    world.enrolment.enrol_face("ada", PHOTO)
    world.collection.is_down = True
    with pytest.raises(UnavailableError):
        world.enrolment.remove_person("ada")
    world.collection.is_down = False

    world.enrolment.remove_person("ada")

    assert world.has_no_face
    assert world.people.people == {}


def test_one_face_is_removed_and_the_others_stay() -> None:
    world = World()
    first, _ = world.enrolment.enrol_face("ada", PHOTO)
    second, _ = world.enrolment.enrol_face("ada", OTHER_PHOTO)

    world.enrolment.remove_face("ada", first.face_id)

    assert list(world.faces.faces) == list(world.collection.indexed) == [second.face_id]
    assert world.people.people["ada"].face_ids == (second.face_id,)


def test_a_face_can_be_removed_only_from_its_own_person() -> None:
    world = World()
    world.enrolment.add_person("Grace Hopper", "grace")
    face, _ = world.enrolment.enrol_face("ada", PHOTO)

    with pytest.raises(NotFoundError, match="no such face"):
        world.enrolment.remove_face("grace", face.face_id)

    assert world.collection.indexed


@pytest.mark.parametrize(
    "verb",
    [
        lambda enrolment: enrolment.person("nobody"),
        lambda enrolment: enrolment.remove_person("nobody"),
        lambda enrolment: enrolment.enrol_face("nobody", PHOTO),
        lambda enrolment: enrolment.remove_face("nobody", "f-1"),
        lambda enrolment: enrolment.faces_page("nobody", PageRequest()),
    ],
)
def test_nobody_is_not_found(verb: Callable[[Enrolment], object]) -> None:
    with pytest.raises(NotFoundError, match="no such person"):
        verb(World().enrolment)


def test_a_person_has_at_most_a_hundred_faces() -> None:
    full = replace(a_person(), face_ids=tuple(f"f-{n}" for n in range(MAX_FACES_PER_PERSON)))
    world = World(people=FakePeople({"ada": full}))

    with pytest.raises(ConflictError, match="100 faces"):
        world.enrolment.enrol_face("ada", PHOTO)
