"""In-memory adapters of `sightline.watchlist`; tests/contract/watchlist checks the promises they keep."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sightline.errors import UnavailableError
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import Face, FoundFace, Indexing, Person


@dataclass
class FakePeople:
    people: dict[str, Person] = field(default_factory=dict)

    def get(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    def page(self, request: PageRequest) -> Page[Person]:
        left = sorted(key for key in self.people if request.after is None or key > request.after)
        keys = left[: request.limit]
        return Page(tuple(self.people[key] for key in keys), keys[-1] if len(left) > len(keys) else None)

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

    def detect(self, photo: bytes) -> Sequence[FoundFace]:
        del photo
        return self.found

    def index(self, photo: bytes, *, person_id: str) -> Indexing:
        if self.reasons:
            return Indexing(None, reasons=self.reasons)
        face_id = f"face-{person_id}-{hash(photo):x}"
        self.indexed.setdefault(face_id, person_id)
        return Indexing(face_id, self.owner or person_id)

    def remove(self, face_ids: Sequence[str]) -> None:
        if self.is_down:
            raise UnavailableError("Rekognition is busy; try again in a moment.")
        for face_id in face_ids:
            self.indexed.pop(face_id, None)
