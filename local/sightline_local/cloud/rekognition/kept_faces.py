"""Collections and their faces as facts."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

import numpy as np

from sightline_faces import Box, Descriptor
from sightline_local.state import Facts

_COLLECTION, _FACE = "rekognition.collection", "rekognition.face"


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face that was indexed; the box is where it is in its photo."""

    face_id: str
    image_id: str
    external_image_id: str | None
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class KeptCollection:
    collection_id: str
    created_at: datetime
    of_template: bool  # made by the deployment, and not by a call at run time


class KeptCollections:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> list[KeptCollection]:
        kept = [(key, json.loads(value)) for key, value in self._facts.all(_COLLECTION)]
        return [KeptCollection(key, datetime.fromisoformat(moment), own) for key, (moment, own) in kept]

    def keep(self, collection: KeptCollection) -> None:
        value = json.dumps([collection.created_at.isoformat(), collection.of_template])
        self._facts.put(_COLLECTION, collection.collection_id, value.encode())

    def begin(self, collection: KeptCollection) -> None:
        """A new one is empty, whatever an older one with its id had."""
        with self._facts.transaction():
            self.forget(collection.collection_id)
            self.keep(collection)

    def forget(self, collection_id: str) -> None:
        """With all its faces."""
        with self._facts.transaction():
            self._facts.delete(_COLLECTION, [collection_id])
            self._facts.delete(_FACE, [key for key, _ in self._facts.all(_FACE, f"{collection_id}/")])

    def faces_of(self, collection_id: str) -> "KeptFaces":
        return KeptFaces(self._facts, collection_id)


class KeptFaces:
    """The faces of one collection."""

    def __init__(self, facts: Facts, collection_id: str) -> None:
        self._facts = facts
        self._prefix = f"{collection_id}/"

    def all(self) -> list[tuple[KnownFace, Descriptor]]:
        kept = self._facts.all(_FACE, self._prefix)
        return [_read(key.removeprefix(self._prefix), value) for key, value in kept]

    def keep(self, faces: Iterable[tuple[KnownFace, Descriptor]]) -> None:
        """All of them, or none."""
        self._facts.put_many(_FACE, [(self._prefix + face.face_id, _value(face, row)) for face, row in faces])

    def forget(self, face_ids: Iterable[str]) -> None:
        self._facts.delete(_FACE, [self._prefix + face_id for face_id in face_ids])


def _value(face: KnownFace, descriptor: Descriptor) -> bytes:
    row = b64encode(np.asarray(descriptor, dtype="<f4").tobytes()).decode()
    members = [face.image_id, face.external_image_id, astuple(face.box), face.confidence, row]
    return json.dumps(members).encode()


def _read(face_id: str, value: bytes) -> tuple[KnownFace, Descriptor]:
    image_id, external_id, box, confidence, row = json.loads(value)
    face = KnownFace(face_id, image_id, external_id, Box(*box), confidence)
    return face, np.frombuffer(b64decode(row), dtype="<f4").astype(np.float32)
