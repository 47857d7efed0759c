"""In-memory adapters of `sightline.watchlist`; tests/contract/watchlist checks the promises they keep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sightline.errors import UnavailableError
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import Catalogue, Face, Person
from sightline.watchlist.photo import Photo
from sightline.watchlist.quality import FoundFace, Indexing


@dataclass
class FakePeople:
    people: dict[str, Person] = field(default_factory=dict)

    def get(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    def page(self, request: PageRequest) -> Page[Person]:
        left = sorted(key for key in self.people if request.after is None or key > request.after)
        keys = left[: request.limit]
        return Page(tuple(self.people[key] for key in keys), keys[-1] if len(left) > len(keys) else None)

    def on_watchlist(self, watchlist_id: str) -> Sequence[Person]:
        return [person for person in self.people.values() if watchlist_id in person.watchlist_ids]

    def save(self, person: Person, *, replacing: Person | None) -> bool:
        stored = self.people.get(person.person_id)
        if (stored and stored.version) != (replacing and replacing.version):
            return False
        self.people[person.person_id] = person
        return True

    def remove(self, person: Person) -> bool:
        stored = self.people.get(person.person_id)
        if stored is not None and stored.version != person.version:
            return False
        self.people.pop(person.person_id, None)
        return True


@dataclass
class FakeFaces:
    faces: dict[str, Face] = field(default_factory=dict)
    is_down: bool = False
    indexed: dict[str, Face] | None = None  # what the index shows while it lags behind; None: it does not

    def add(self, face: Face) -> Face:
        if self.is_down:
            raise UnavailableError("DynamoDB is busy; try again in a moment.")
        return self.faces.setdefault(face.face_id, face)

    def refresh(self, face_id: str, person: Person) -> None:
        if self.is_down:
            raise UnavailableError("DynamoDB is busy; try again in a moment.")
        face = self.faces.get(face_id)
        if face is not None and face.person_version <= person.version:
            self.faces[face_id] = face.as_now(person)

    def of_person(self, person_id: str, request: PageRequest) -> Page[Face]:
        left = sorted(
            face.face_id
            for face in self._index().values()
            if face.person_id == person_id and (request.after is None or face.face_id > request.after)
        )
        keys = left[: request.limit]
        return Page(tuple(self._index()[key] for key in keys), keys[-1] if len(left) > len(keys) else None)

    def find(self, person_id: str, face_id: str) -> Face | None:
        face = self._index().get(face_id)
        return face if face and face.person_id == person_id else None

    def remove(self, face_id: str) -> None:
        self.faces.pop(face_id, None)

    def _index(self) -> dict[str, Face]:
        return self.faces if self.indexed is None else self.indexed


@dataclass
class FakeCollection:
    """One face per photo unless told otherwise; the same photo of the same person has the same face id."""

    found: list[FoundFace] = field(default_factory=lambda: [FoundFace(0.5, 0.5, 99.9)])
    indexed: dict[str, str] = field(default_factory=dict)  # face id → person id
    reasons: tuple[str, ...] = ()
    owner: str | None = None
    is_down: bool = False
    similar: list[tuple[str, float]] = field(default_factory=list)

    def resembling(self, photo: Photo) -> Sequence[tuple[str, float]]:
        del photo
        return self.similar

    def detect(self, photo: Photo) -> Sequence[FoundFace]:
        del photo
        return self.found

    def index(self, photo: Photo, *, person_id: str) -> Indexing:
        if self.reasons:
            return Indexing(None, reasons=self.reasons)
        face_id = f"face-{person_id}-{hash(photo.content):x}"
        self.indexed.setdefault(face_id, person_id)
        return Indexing(face_id, self.owner or person_id)

    def remove(self, face_ids: Sequence[str]) -> None:
        if self.is_down:
            raise UnavailableError("Rekognition is busy; try again in a moment.")
        for face_id in face_ids:
            self.indexed.pop(face_id, None)


@dataclass
class FakePhotos:
    """Photos of faces and uploads by person and id, as one bucket holds them."""

    kept: dict[tuple[str, str], Photo] = field(default_factory=dict)
    uploads: dict[tuple[str, str], Photo] = field(default_factory=dict)
    is_down: bool = False

    def keep(self, photo: Photo, *, person_id: str, face_id: str) -> None:
        if self.is_down:
            raise UnavailableError("S3 is busy; try again in a moment.")
        self.kept[person_id, face_id] = photo

    def forget(self, person_id: str, face_ids: Iterable[str]) -> None:
        for face_id in face_ids:
            self.kept.pop((person_id, face_id), None)

    def forget_all(self, person_id: str) -> None:
        for kept in (self.kept, self.uploads):
            for key in [key for key in kept if key[0] == person_id]:
                del kept[key]


@dataclass
class FakeUploads:
    photos: FakePhotos

    def url(self, person_id: str, photo_id: str, *, lasting: timedelta) -> str:
        return f"https://photos.example/{person_id}/{photo_id}?seconds={lasting.total_seconds():.0f}"

    def read(self, person_id: str, photo_id: str) -> Photo | None:
        return self.photos.uploads.get((person_id, photo_id))

    def forget(self, person_id: str, photo_id: str) -> None:
        self.photos.uploads.pop((person_id, photo_id), None)


@dataclass
class FakeCatalogues:
    catalogue: Catalogue = field(default_factory=Catalogue)

    def read(self) -> Catalogue:
        return self.catalogue

    def save(self, catalogue: Catalogue) -> bool:
        if catalogue.version != self.catalogue.version + 1:
            return False
        self.catalogue = catalogue
        return True
