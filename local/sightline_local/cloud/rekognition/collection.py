"""Collections of known faces: who is in them, and whom a new face resembles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import RLock

from sightline_faces import Box, Descriptor, Gallery

MODEL_VERSION = "1.0"
"""Of the embedded engine; AWS counts its own. Descriptors of different models cannot be compared."""

MIN_THRESHOLD = 80.0
"""Rekognition raises every lower FaceMatchThreshold to this."""


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face that was indexed; the box is where it is in its photo."""

    face_id: str
    image_id: str
    external_image_id: str | None
    box: Box
    confidence: float


class Collection:
    """Safe for threads: what is added or removed counts for the next search."""

    def __init__(self, collection_id: str, arn: str, created_at: datetime) -> None:
        self.collection_id = collection_id
        self.arn = arn
        self.created_at = created_at
        self._gallery = Gallery()
        self._faces: dict[str, KnownFace] = {}
        self._lock = RLock()

    def add(self, face: KnownFace, descriptor: Descriptor) -> None:
        with self._lock:
            self._faces[face.face_id] = face
            self._gallery.add(face.face_id, descriptor)

    def remove(self, face_id: str) -> bool:
        """False when there is no such face."""
        with self._lock:
            self._gallery.remove(face_id)
            return self._faces.pop(face_id, None) is not None

    def get(self, face_id: str) -> KnownFace | None:
        return self._faces.get(face_id)

    def faces(self) -> list[KnownFace]:
        """In the order of their ids."""
        with self._lock:
            return [self._faces[face_id] for face_id in sorted(self._faces)]

    def search(self, descriptor: Descriptor, threshold: float) -> list[tuple[KnownFace, float]]:
        """Known faces at least that similar (per cent, raised to 80), the most similar first."""
        found = self._gallery.search(descriptor, max(threshold, MIN_THRESHOLD))
        return [(face, similarity) for face_id, similarity in found if (face := self._faces.get(face_id))]

    def __len__(self) -> int:
        return len(self._faces)


class Collections:
    """Every collection of the account."""

    def __init__(self) -> None:
        self._collections: dict[str, Collection] = {}
        self._lock = RLock()

    def add(self, collection: Collection) -> bool:
        """False when there is one with that id."""
        with self._lock:
            return self._collections.setdefault(collection.collection_id, collection) is collection

    def get(self, collection_id: str) -> Collection | None:
        return self._collections.get(collection_id)

    def remove(self, collection_id: str) -> bool:
        with self._lock:
            return self._collections.pop(collection_id, None) is not None

    def ids(self) -> list[str]:
        with self._lock:
            return sorted(self._collections)


def remove_faces(collection: Collection, face_ids: Iterable[str]) -> tuple[list[str], list[str]]:
    """Ids of those that were removed, and of those that were not there."""
    removed: list[str] = []
    missing: list[str] = []
    for face_id in face_ids:
        (removed if collection.remove(face_id) else missing).append(face_id)
    return removed, missing
