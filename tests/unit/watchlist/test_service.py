from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from sightline.errors import ConflictError, NotFoundError, RejectedError, UnavailableError
from sightline.paging import PageRequest
from sightline.watchlist.lists import Watchlists
from sightline.watchlist.model import MAX_FACES_PER_PERSON, Catalogue, Watchlist
from sightline.watchlist.photo import Photo
from sightline.watchlist.quality import FoundFace
from sightline.watchlist.service import Enrolment
from tests.builders import a_person
from tests.fakes.devices import FakeClock
from tests.fakes.watchlist import (
    FakeCatalogues,
    FakeCollection,
    FakeFaces,
    FakePeople,
    FakePhotos,
    FakeUploads,
)

PHOTO, OTHER_PHOTO = Photo(b"one", 640, 480), Photo(b"another", 640, 480)


@dataclass
class World:
    people: FakePeople = field(default_factory=lambda: FakePeople({"ada": a_person()}))
    faces: FakeFaces = field(default_factory=FakeFaces)
    collection: FakeCollection = field(default_factory=FakeCollection)
    photos: FakePhotos = field(default_factory=FakePhotos)
    catalogues: FakeCatalogues = field(
        default_factory=lambda: FakeCatalogues(Catalogue({"vip": Watchlist("vip", "VIP", kind="vip")}, 1))
    )

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(
            people=self.people,
            faces=self.faces,
            collection=self.collection,
            photos=self.photos,
            uploads=FakeUploads(self.photos),
            catalogues=self.catalogues,
            clock=FakeClock(),
            new_id=lambda: "1",
            min_face_px=50,
        )

    @property
    def lists(self) -> Watchlists:
        return Watchlists(self.catalogues, self.enrolment)

    @property
    def has_no_face(self) -> bool:
        return not self.faces.faces and not self.collection.indexed and not self.photos.kept


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

    enrolled = world.enrolment.enrol_face("ada", PHOTO)

    face = enrolled.face
    assert enrolled.is_new
    assert (face.person_id, face.person_name, face.watchlist_ids) == ("ada", "Ada Lovelace", ("default",))
    assert world.collection.indexed == {face.face_id: "ada"}
    assert world.faces.faces == {face.face_id: replace(face, person_version=1)}
    assert world.photos.kept == {("ada", face.face_id): PHOTO}
    assert world.people.people["ada"].face_ids == (face.face_id,)


def test_the_same_photo_again_is_the_same_face() -> None:
    world = World()
    first = world.enrolment.enrol_face("ada", PHOTO)

    second = world.enrolment.enrol_face("ada", PHOTO)

    assert (second.face, second.is_new) == (first.face, False)
    assert world.people.people["ada"].face_ids == (first.face.face_id,)


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
    face = world.enrolment.enrol_face("ada", PHOTO).face
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
    first = world.enrolment.enrol_face("ada", PHOTO).face
    second = world.enrolment.enrol_face("ada", OTHER_PHOTO).face

    world.enrolment.remove_face("ada", first.face_id)

    assert list(world.faces.faces) == list(world.collection.indexed) == [second.face_id]
    assert world.people.people["ada"].face_ids == (second.face_id,)


def test_a_face_can_be_removed_only_from_its_own_person() -> None:
    world = World()
    world.enrolment.add_person("Grace Hopper", "grace")
    face = world.enrolment.enrol_face("ada", PHOTO).face

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


MOMENT = datetime(2026, 12, 31, tzinfo=UTC)


def test_a_change_of_a_person_reaches_every_face_even_one_the_index_does_not_show_yet() -> None:
    world = World()
    world.enrolment.enrol_face("ada", PHOTO)
    world.enrolment.enrol_face("ada", OTHER_PHOTO)
    world.faces.indexed = {}

    world.enrolment.change_person("ada", {"expires_at": MOMENT, "watchlist_ids": ("vip",)})

    assert [(face.expires_at, face.watchlist_ids) for face in world.faces.faces.values()] == [
        (MOMENT, ("vip",))
    ] * 2


def test_a_change_that_failed_half_way_is_completed_by_repeating_it() -> None:
    world = World()
    face = world.enrolment.enrol_face("ada", PHOTO).face
    world.faces.is_down = True
    with pytest.raises(UnavailableError):
        world.enrolment.change_person("ada", {"muted_until": MOMENT})
    world.faces.is_down = False

    world.enrolment.change_person("ada", {"muted_until": MOMENT})

    assert world.faces.faces[face.face_id].muted_until == MOMENT


def test_a_face_enrolled_while_its_person_is_muted_is_muted_too() -> None:
    people = PeopleMeanwhile({"ada": a_person()})
    world = World(people=people)
    people.meanwhile = lambda: (world.enrolment.change_person("ada", {"muted_until": MOMENT}), None)[1]

    face = world.enrolment.enrol_face("ada", PHOTO).face

    assert face.muted_until == MOMENT
    assert world.faces.faces[face.face_id].muted_until == MOMENT


def test_a_photo_that_cannot_be_kept_leaves_no_face_behind() -> None:
    world = World(photos=FakePhotos(is_down=True))

    with pytest.raises(UnavailableError):
        world.enrolment.enrol_face("ada", PHOTO)

    assert world.has_no_face


def test_an_upload_is_enrolled_once_and_answered_ever_after() -> None:
    world = World()
    upload = world.enrolment.begin_upload("ada")
    world.photos.uploads["ada", upload.photo_id] = replace(PHOTO, upload_key="uploads/ada/photo-1")

    first = world.enrolment.enrol_upload("ada", upload.photo_id)
    second = world.enrolment.enrol_upload("ada", upload.photo_id)

    assert (first.is_new, second.is_new) == (True, False)
    assert second.face.face_id == first.face.face_id
    assert world.photos.uploads == {}


def test_an_upload_that_will_not_do_can_be_asked_about_again() -> None:
    world = World(collection=FakeCollection(found=[]))
    world.photos.uploads["ada", "photo-1"] = PHOTO

    for _ in range(2):
        with pytest.raises(RejectedError, match="No face"):
            world.enrolment.enrol_upload("ada", "photo-1")

    assert world.has_no_face


def test_the_three_people_a_face_resembles_most_are_named_but_never_itself() -> None:
    others = {name: a_person(person_id=name, name=name.title()) for name in ("b", "c", "d", "e")}
    similar = [("ada", 99.0), ("b", 95.0), ("removed", 94.0), ("c", 93.0), ("d", 92.0), ("e", 91.0)]
    world = World(FakePeople({"ada": a_person()} | others), collection=FakeCollection(similar=similar))

    enrolled = world.enrolment.enrol_face("ada", PHOTO)

    assert [each.person_id for each in enrolled.resemblances] == ["b", "c", "d"]


def test_a_list_is_removed_only_when_nobody_is_on_it() -> None:
    world = World()
    world.enrolment.change_person("ada", {"watchlist_ids": ("vip",)})

    with pytest.raises(ConflictError, match="1 person is on this list"):
        world.lists.remove("vip", detach=False)
    world.lists.remove("vip", detach=True)

    assert world.people.people["ada"].watchlist_ids == ()
    with pytest.raises(NotFoundError):
        world.lists.get("vip")


def test_a_person_put_on_a_list_while_it_is_removed_is_taken_off_it() -> None:
    world = World()
    face = world.enrolment.enrol_face("ada", PHOTO).face
    world.catalogues = CataloguesMeanwhile(world.catalogues.catalogue)
    world.catalogues.meanwhile = lambda: (
        world.enrolment.change_person("ada", {"watchlist_ids": ("vip",)}),
        None,
    )[1]

    world.lists.remove("vip", detach=False)

    assert world.people.people["ada"].watchlist_ids == ()
    assert world.faces.faces[face.face_id].watchlist_ids == ()


def test_two_lists_made_at_once_are_both_kept() -> None:
    world = World()
    world.catalogues = CataloguesMeanwhile(world.catalogues.catalogue)
    world.catalogues.meanwhile = lambda: (world.lists.add(Watchlist("b", "B", kind="other")), None)[1]

    world.lists.add(Watchlist("a", "A", kind="other"))

    assert set(world.catalogues.catalogue.stored) == {"a", "b", "vip"}


def test_the_built_in_list_can_be_changed() -> None:
    world = World()

    changed = world.lists.change("default", {"severity": "low"})

    assert world.lists.get("default") == changed
    assert changed.severity == "low"


class CataloguesMeanwhile(FakeCatalogues):
    """Something happens just before a write."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def save(self, catalogue):  # type: ignore[no-untyped-def]
        now, self.meanwhile = self.meanwhile, lambda: None
        now()
        return super().save(catalogue)
