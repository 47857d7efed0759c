"""Enrol people and their faces, change them, and remove them without a trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sightline.clock import Clock
from sightline.errors import ConflictError, NotFoundError, RejectedError
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import Face, Person, Resemblance
from sightline.watchlist.photo import Photo
from sightline.watchlist.ports import Catalogues, Collection, Faces, People, Photos, Uploads
from sightline.watchlist.quality import check_photo_shows_one_face, why_not_indexed

# Several people may enrol photos of one person at once; more writers than this in a moment are a loop.
WRITE_ATTEMPTS = 5
UPLOAD_LASTS = timedelta(minutes=15)
# A warning is read by somebody: the closest few say it all.
MAX_RESEMBLANCES = 3


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A face; whether it is new (the same photo of the same person is the same face); who it resembles."""

    face: Face
    is_new: bool
    resemblances: tuple[Resemblance, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """Where a photo may be put (HTTP PUT), and until when."""

    photo_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The verbs of people and faces; each is safe to repeat."""

    people: People
    faces: Faces
    collection: Collection
    photos: Photos
    uploads: Uploads
    catalogues: Catalogues
    clock: Clock
    new_id: Callable[[], str]
    min_face_px: int

    # ------------------------------------------------------------------ people

    def add_person(self, name: str, person_id: str | None, **about: Any) -> tuple[Person, bool]:
        """The person, and whether it is new: a person id that is taken answers the person who has it."""
        person = Person(person_id or f"person-{self.new_id()}", name, self.clock(), **about)
        self.catalogues.read().check_all_exist(about.get("watchlist_ids", ()))
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

    def change_person(self, person_id: str, changes: Mapping[str, Any]) -> Person:
        """Also the person's faces, which is where the consumer looks."""
        person = self.person(person_id)
        self.catalogues.read().check_all_exist(changes.get("watchlist_ids", ()))
        return self.change_with_faces(person, lambda now: replace(now, **changes))

    def change_with_faces(self, person: Person, change: Callable[[Person], Person]) -> Person:
        """Faces are written even if the person is so already: the change before may have failed half-way."""
        changed = self._change(person, change)
        for face_id in self._face_ids_of(changed):
            self.faces.refresh(face_id, changed)
        return changed

    def remove_person(self, person_id: str) -> None:
        """Faces first: whatever fails, the person is still there, and the removal can be repeated."""
        for _ in range(WRITE_ATTEMPTS):
            person = self.person(person_id)
            self._remove_faces(person, self._face_ids_of(person))
            self.photos.forget_all(person_id)
            # A face enrolled meanwhile has given the person a new version: then its face goes too.
            if self.people.remove(person):
                return
        raise ConflictError("Faces of this person are being enrolled just now; try again.")

    # ------------------------------------------------------------------ faces

    def faces_page(self, person_id: str, request: PageRequest) -> Page[Face]:
        return self.faces.of_person(self.person(person_id).person_id, request)

    def begin_upload(self, person_id: str) -> Upload:
        photo_id = f"photo-{self.new_id()}"
        url = self.uploads.url(self.person(person_id).person_id, photo_id, lasting=UPLOAD_LASTS)
        return Upload(photo_id, url, self.clock() + UPLOAD_LASTS)

    def enrol_upload(self, person_id: str, photo_id: str) -> Enrolled:
        """An upload is used once; asking again answers the face that it became."""
        person = self.person(person_id)
        photo = self.uploads.read(person_id, photo_id)
        if photo is None:
            return Enrolled(self._face_of_upload(person_id, photo_id), is_new=False)
        enrolled = self._enrol(person, photo, photo_id)
        self.uploads.forget(person_id, photo_id)
        return enrolled

    def enrol_face(self, person_id: str, photo: Photo) -> Enrolled:
        return self._enrol(self.person(person_id), photo)

    def remove_face(self, person_id: str, face_id: str) -> None:
        person = self.person(person_id)
        if face_id not in person.face_ids and self.faces.find(person_id, face_id) is None:
            raise NotFoundError("This person has no such face.")
        self._remove_faces(person, [face_id])
        self._change(person, lambda now: now.without_face(face_id))

    # ------------------------------------------------------------------ how

    def _enrol(self, person: Person, photo: Photo, photo_id: str | None = None) -> Enrolled:
        person.check_room_for_a_face()
        check_photo_shows_one_face(
            self.collection.detect(photo),
            photo_width_px=photo.width_px,
            photo_height_px=photo.height_px,
            min_face_px=self.min_face_px,
        )
        face_id = self._index(photo, person.person_id)
        try:
            # After indexing: of two alike who are enrolled at the same moment one at least is told.
            resemblances = self._resemblances(photo, person)
            self.photos.keep(photo, person_id=person.person_id, face_id=face_id)
            face, is_new = self._store(person, Face.of(person, face_id, self.clock(), photo_id))
        except Exception:
            # A face that is in the collection but in no table would match for ever, and belong to nobody.
            if face_id not in person.face_ids:
                self._remove_faces(person, [face_id])
            raise
        return Enrolled(face, is_new, resemblances)

    def _resemblances(self, photo: Photo, person: Person) -> tuple[Resemblance, ...]:
        found = []
        for person_id, similarity in self.collection.resembling(photo):
            other = None if person_id == person.person_id else self.people.get(person_id)
            if other is not None:
                found.append(Resemblance(person_id, other.name, similarity))
            if len(found) == MAX_RESEMBLANCES:
                break
        return tuple(found)

    def _index(self, photo: Photo, person_id: str) -> str:
        indexing = self.collection.index(photo, person_id=person_id)
        if indexing.face_id is None:
            raise RejectedError(why_not_indexed(indexing.reasons))
        if indexing.person_id != person_id:  # the collection knew this very photo already
            raise ConflictError("This photo is already enrolled for another person.")
        return indexing.face_id

    def _store(self, person: Person, face: Face) -> tuple[Face, bool]:
        stored = self.faces.add(face)
        now = self._change(person, lambda now: now.with_face(face.face_id))
        current = stored.as_now(now)
        if current != replace(stored, person_version=now.version):
            self.faces.refresh(face.face_id, now)  # the person was changed since this face was stored
        return current, stored is face

    def _face_of_upload(self, person_id: str, photo_id: str) -> Face:
        known = self.faces.of_person(person_id, PageRequest(limit=100)).items
        face = next((face for face in known if face.photo_id == photo_id), None)
        if face is None:
            raise NotFoundError("There is no such photo: PUT it to its upload_url first.")
        return face

    def _change(self, person: Person, change: Callable[[Person], Person]) -> Person:
        for _ in range(WRITE_ATTEMPTS):
            changed = change(person)
            if changed == person:
                return person
            changed = replace(changed, version=person.version + 1)
            if self.people.save(changed, replacing=person):
                return changed
            person = self.person(person.person_id)  # NotFoundError: removed meanwhile
        raise ConflictError("This person is being changed by somebody else; try again.")

    def _face_ids_of(self, person: Person) -> list[str]:
        indexed = self.faces.of_person(person.person_id, PageRequest(limit=100))
        # The index follows the table with a delay and the person does not: together they know every face.
        return sorted({*person.face_ids, *(face.face_id for face in indexed.items)})

    def _remove_faces(self, person: Person, face_ids: list[str]) -> None:
        """From the collection first: what matches no more needs no photo and no row."""
        if not face_ids:
            return
        self.collection.remove(face_ids)
        self.photos.forget(person.person_id, face_ids)
        for face_id in face_ids:
            self.faces.remove(face_id)
