"""Enrol people and their faces, and remove them without a trace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sightline.clock import Clock
from sightline.errors import ConflictError, NotFoundError, RejectedError
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import (
    DEFAULT_WATCHLIST,
    Face,
    FoundFace,
    Indexing,
    Person,
    check_photo_shows_one_face,
    why_not_indexed,
)
from sightline.watchlist.photo import Photo

# Several people may enrol photos of one person at once; more writers than this in a moment are a loop.
WRITE_ATTEMPTS = 5


class People(Protocol):
    """Every write is conditional: on nothing being there, or on the version that was read."""

    def get(self, person_id: str) -> Person | None: ...
    def page(self, request: PageRequest) -> Page[Person]: ...
    def save(self, person: Person, *, replacing: Person | None) -> bool: ...
    def remove(self, person: Person) -> bool: ...


class Faces(Protocol):
    def add(self, face: Face) -> Face:
        """Store it; if the face id is there already, change nothing and answer what is stored."""
        ...

    def of_person(self, person_id: str, request: PageRequest) -> Page[Face]: ...
    def find(self, person_id: str, face_id: str) -> Face | None: ...
    def remove(self, face_id: str) -> None: ...


class Collection(Protocol):
    """Rekognition's face collection; `detect` and `index` refuse what is no picture with RejectedError."""

    def detect(self, photo: bytes) -> Sequence[FoundFace]: ...
    def index(self, photo: bytes, *, person_id: str) -> Indexing: ...
    def remove(self, face_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The verbs of the watchlist; each is safe to repeat."""

    people: People
    faces: Faces
    collection: Collection
    clock: Clock
    new_person_id: Callable[[], str]

    def add_person(self, name: str, person_id: str | None) -> tuple[Person, bool]:
        """The person, and whether it is new: a person id that is taken answers the person who has it."""
        person = Person(person_id or self.new_person_id(), name, self.clock())
        if self.people.save(person, replacing=None):
            return person, True
        return self.person(person.person_id), False

    def person(self, person_id: str) -> Person:
        person = self.people.get(person_id)
        if person is None:
            raise NotFoundError("There is no such person.")
        return person

    def people_page(self, request: PageRequest) -> Page[Person]:
        return self.people.page(request)

    def faces_page(self, person_id: str, request: PageRequest) -> Page[Face]:
        return self.faces.of_person(self.person(person_id).person_id, request)

    def enrol_face(self, person_id: str, photo: Photo) -> tuple[Face, bool]:
        """The face, and whether it is new: the same photo of the same person again is the same face."""
        person = self.person(person_id)
        person.check_room_for_a_face()
        found = self.collection.detect(photo.content)
        check_photo_shows_one_face(found, photo_width_px=photo.width_px, photo_height_px=photo.height_px)
        face_id = self._index(photo, person_id)
        try:
            return self._store(person, face_id)
        except Exception:
            # A face that is in the collection but in no table would match for ever, and belong to nobody.
            if face_id not in person.face_ids:
                self._remove_face(face_id)
            raise

    def remove_face(self, person_id: str, face_id: str) -> None:
        person = self.person(person_id)
        if face_id not in person.face_ids and self.faces.find(person_id, face_id) is None:
            raise NotFoundError("This person has no such face.")
        self._remove_face(face_id)
        self._change(person, lambda now: now.without_face(face_id))

    def remove_person(self, person_id: str) -> None:
        """Faces first: whatever fails, the person is still there, and the removal can be repeated."""
        for _ in range(WRITE_ATTEMPTS):
            person = self.person(person_id)
            self._remove_faces_of(person)
            # A face enrolled meanwhile has given the person a new version: then its face goes too.
            if self.people.remove(person):
                return
        raise ConflictError("Faces of this person are being enrolled just now; try again.")

    def _index(self, photo: Photo, person_id: str) -> str:
        indexing = self.collection.index(photo.content, person_id=person_id)
        if indexing.face_id is None:
            raise RejectedError(why_not_indexed(indexing.reasons))
        if indexing.person_id != person_id:  # the collection knew this very photo already
            raise ConflictError("This photo is already enrolled for another person.")
        return indexing.face_id

    def _store(self, person: Person, face_id: str) -> tuple[Face, bool]:
        face = Face(face_id, person.person_id, person.name, (DEFAULT_WATCHLIST.watchlist_id,), self.clock())
        stored = self.faces.add(face)
        self._change(person, lambda now: now.with_face(face_id))
        return stored, stored is face

    def _change(self, person: Person, change: Callable[[Person], Person]) -> None:
        for _ in range(WRITE_ATTEMPTS):
            changed = change(person)
            if changed == person:
                return
            if self.people.save(replace(changed, version=person.version + 1), replacing=person):
                return
            person = self.person(person.person_id)  # NotFoundError: removed meanwhile
        raise ConflictError("This person is being changed by somebody else; try again.")

    def _remove_face(self, face_id: str) -> None:
        self.collection.remove([face_id])
        self.faces.remove(face_id)

    def _remove_faces_of(self, person: Person) -> None:
        indexed = self.faces.of_person(person.person_id, PageRequest(limit=100))
        # The index follows the table with a delay and the person does not: together they know every face.
        face_ids = sorted({*person.face_ids, *(face.face_id for face in indexed.items)})
        if face_ids:
            self.collection.remove(face_ids)
        for face_id in face_ids:
            self.faces.remove(face_id)
