"""Who is watched for: lists, the people on them, and their faces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sightline.clock import to_iso
from sightline.errors import ConflictError, FieldError, RejectedError

# Enough for every angle and pair of glasses; all ids of a person must fit in one item and one DeleteFaces.
MAX_FACES_PER_PERSON = 100
# All lists are one DynamoDB item (400 KB), so that the consumer reads them in the call that it makes anyway.
MAX_WATCHLISTS = 200
DEFAULT_WATCHLIST_ID = "default"


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list that people are on: what it is for, and how serious it is to see them.

    `kind` is block, vip, staff, missing or other; `severity` low, medium, high or critical;
    `similarity_threshold` a percentage (80 to 100) that holds for everybody on the list.
    """

    watchlist_id: str
    name: str
    severity: str = "high"
    kind: str = "block"
    owner: str | None = None
    reason: str | None = None
    similarity_threshold: float | None = None
    expires_at: datetime | None = None

    def check(self) -> None:
        """Nobody is flagged without a reason: RejectedError."""
        if self.kind == "block" and not self.reason:
            raise RejectedError(
                "The request is not valid.",
                [FieldError("reason", "is required for a block list: say why these people are flagged")],
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "watchlist_id": self.watchlist_id,
            "name": self.name,
            "kind": self.kind,
            "severity": self.severity,
            "owner": self.owner,
            "reason": self.reason,
            "similarity_threshold": self.similarity_threshold,
            "expires_at": _iso(self.expires_at),
        }


DEFAULT_WATCHLIST = Watchlist(
    DEFAULT_WATCHLIST_ID, "Watchlist", "high", "block", reason="The list of those who were put on no other"
)


@dataclass(frozen=True, slots=True)
class Person:
    """`version` grows with every write: a removal and an enrolment at the same moment notice each other."""

    person_id: str
    name: str
    created_at: datetime
    face_ids: tuple[str, ...] = ()
    version: int = 1
    watchlist_ids: tuple[str, ...] = (DEFAULT_WATCHLIST_ID,)
    notes: str | None = None
    expires_at: datetime | None = None
    muted_until: datetime | None = None
    similarity_threshold: float | None = None

    def with_face(self, face_id: str) -> "Person":
        if face_id in self.face_ids:
            return self
        return replace(self, face_ids=(*self.face_ids, face_id))

    def without_face(self, face_id: str) -> "Person":
        return replace(self, face_ids=tuple(known for known in self.face_ids if known != face_id))

    def without_watchlist(self, watchlist_id: str) -> "Person":
        left = tuple(known for known in self.watchlist_ids if known != watchlist_id)
        return replace(self, watchlist_ids=left)

    def check_room_for_a_face(self) -> None:
        if len(self.face_ids) >= MAX_FACES_PER_PERSON:
            raise ConflictError(
                f"This person has {MAX_FACES_PER_PERSON} faces, which is the most; remove one first."
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "person_id": self.person_id,
            "name": self.name,
            "notes": self.notes,
            "watchlist_ids": list(self.watchlist_ids),
            "similarity_threshold": self.similarity_threshold,
            "expires_at": _iso(self.expires_at),
            "muted_until": _iso(self.muted_until),
            "face_count": len(self.face_ids),
            "created_at": to_iso(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class Face:
    """An enrolled face; `face_id` is Rekognition's, and replaceable: people are keyed by `person_id`.

    It carries what its person's rule needs, so that a match costs the consumer one read; `person_version`
    says which state of the person that is. `photo_id` is the upload that the face came from, if it was one.
    """

    face_id: str
    person_id: str
    person_name: str
    watchlist_ids: tuple[str, ...]
    enrolled_at: datetime
    expires_at: datetime | None = None
    muted_until: datetime | None = None
    similarity_threshold: float | None = None
    photo_id: str | None = None
    person_version: int = 0

    @classmethod
    def of(cls, person: Person, face_id: str, enrolled_at: datetime, photo_id: str | None = None) -> "Face":
        blank = cls(face_id, person.person_id, person.name, (), enrolled_at, photo_id=photo_id)
        return blank.as_now(person)

    def as_now(self, person: Person) -> "Face":
        """The same face with what its person has become."""
        return replace(
            self,
            person_name=person.name,
            watchlist_ids=person.watchlist_ids,
            expires_at=person.expires_at,
            muted_until=person.muted_until,
            similarity_threshold=person.similarity_threshold,
            person_version=person.version,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "face_id": self.face_id,
            "person_id": self.person_id,
            "watchlist_ids": list(self.watchlist_ids),
            "enrolled_at": to_iso(self.enrolled_at),
        }


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Somebody else enrolled whose face is like this one; `similarity_percent` as Rekognition sees it."""

    person_id: str
    name: str
    similarity_percent: float

    def to_json(self) -> dict[str, Any]:
        return {
            "person_id": self.person_id,
            "similarity": round(self.similarity_percent, 1),
            "detail": f"The face resembles {self.name} ({self.similarity_percent:.1f} %): the same person?",
        }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All watchlists as they are stored; `version` grows with every write, 0: nothing is stored yet."""

    stored: Mapping[str, Watchlist] = field(default_factory=dict)
    version: int = 0

    @property
    def lists(self) -> dict[str, Watchlist]:
        """With the built-in list, which is there before anybody stored it."""
        return {DEFAULT_WATCHLIST_ID: DEFAULT_WATCHLIST} | dict(self.stored)

    def having(self, watchlist: Watchlist) -> "Catalogue":
        lists = {**self.stored, watchlist.watchlist_id: watchlist}
        if len(lists) > MAX_WATCHLISTS:
            raise ConflictError(
                f"There are {MAX_WATCHLISTS} watchlists, which is the most; remove one first."
            )
        return Catalogue(lists, self.version + 1)

    def without(self, watchlist_id: str) -> "Catalogue":
        left = {key: each for key, each in self.stored.items() if key != watchlist_id}
        return Catalogue(left, self.version + 1)

    def check_all_exist(self, watchlist_ids: Iterable[str]) -> None:
        unknown = [each for each in watchlist_ids if each not in self.lists]
        if unknown:
            said = [FieldError("watchlist_ids", f"there is no watchlist {each}") for each in unknown]
            raise RejectedError("The request is not valid.", said)
