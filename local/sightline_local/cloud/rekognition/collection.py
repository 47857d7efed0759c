"""Collections of known faces: who is in them, and whom a new face resembles."""

from collections.abc import Iterable
from datetime import datetime
from threading import RLock

from sightline_faces import Descriptor, Gallery
from sightline_local.cloud.rekognition.kept_faces import KeptCollection, KeptCollections, KeptFaces, KnownFace
from sightline_local.state import Facts

MODEL_VERSION = "1.0"
"""Of the embedded engine; AWS counts its own. Descriptors of different models cannot be compared."""

MIN_THRESHOLD = 80.0
"""Rekognition raises every lower FaceMatchThreshold to this."""


class Collection:
    """Safe for threads: what is added or removed counts for the next search."""

    def __init__(
        self, collection_id: str, arn: str, created_at: datetime, kept: KeptFaces | None = None
    ) -> None:
        self.collection_id = collection_id
        self.arn = arn
        self.created_at = created_at
        self._kept = kept or KeptFaces(Facts.none(), collection_id)
        self._gallery = Gallery()
        self._faces: dict[str, KnownFace] = {}
        self._lock = RLock()

    def restore(self, created_at: datetime) -> None:
        """Be the collection that was made then, with its faces."""
        self.created_at = created_at
        for face, descriptor in self._kept.all():
            self._take(face, descriptor)

    def add(self, *faces: tuple[KnownFace, Descriptor]) -> None:
        """All of them, or none."""
        with self._lock:
            self._kept.keep(faces)
            for face, descriptor in faces:
                self._take(face, descriptor)

    def remove(self, face_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Ids of those that were removed, and of those that were not there."""
        with self._lock:
            wanted = list(dict.fromkeys(face_ids))
            removed = [face_id for face_id in wanted if face_id in self._faces]
            self._kept.forget(removed)
            for face_id in removed:
                self._gallery.remove(face_id)
                del self._faces[face_id]
        return removed, [face_id for face_id in wanted if face_id not in removed]

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

    def _take(self, face: KnownFace, descriptor: Descriptor) -> None:
        self._faces[face.face_id] = face
        self._gallery.add(face.face_id, descriptor)

    def __len__(self) -> int:
        return len(self._faces)


class Collections:
    """Every collection of the account. Until `restore` it is the template that makes them."""

    def __init__(self, arn_prefix: str, kept: KeptCollections) -> None:
        self._arn_prefix = arn_prefix
        self._kept = kept
        self._is_restored = False
        self._collections: dict[str, Collection] = {}
        self._lock = RLock()

    def restore(self) -> list[str]:
        """Make what was made at run time, and fill in all faces; what the template had once is told."""
        aside: list[str] = []
        for kept in self._kept.all():
            if kept.collection_id not in self._collections and kept.of_template:
                aside.append(f"collection {kept.collection_id}")
                continue
            fresh = self._new(kept.collection_id, kept.created_at)
            self._collections.setdefault(kept.collection_id, fresh).restore(kept.created_at)
        known = {kept.collection_id for kept in self._kept.all()}
        for new in (each for each in self._collections.values() if each.collection_id not in known):
            self._kept.keep(KeptCollection(new.collection_id, new.created_at, of_template=True))
        self._is_restored = True
        return aside

    def create(self, collection_id: str, now: datetime) -> Collection | None:
        """None when there is one with that id."""
        with self._lock:
            if collection_id in self._collections:
                return None
            if self._is_restored:
                self._kept.begin(KeptCollection(collection_id, now, of_template=False))
            collection = self._collections[collection_id] = self._new(collection_id, now)
            return collection

    def get(self, collection_id: str) -> Collection | None:
        return self._collections.get(collection_id)

    def remove(self, collection_id: str) -> bool:
        with self._lock:
            self._kept.forget(collection_id)
            return self._collections.pop(collection_id, None) is not None

    def ids(self) -> list[str]:
        with self._lock:
            return sorted(self._collections)

    def _new(self, collection_id: str, created_at: datetime) -> Collection:
        faces = self._kept.faces_of(collection_id)
        return Collection(collection_id, f"{self._arn_prefix}{collection_id}", created_at, faces)
