"""Known faces, and which of them a face looks like."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sightline_faces.face import Descriptor
from sightline_faces.scale import similarities

DESCRIPTOR_LENGTH = 128


class Gallery:
    """Descriptors by face id; safe to change in one thread while another searches."""

    def __init__(self) -> None:
        self._faces: dict[str, Descriptor] = {}
        self._lock = Lock()
        self._rows: tuple[tuple[str, ...], NDArray[np.float32]] | None = None

    def __len__(self) -> int:
        return len(self._faces)

    def __contains__(self, face_id: object) -> bool:
        return face_id in self._faces

    def add(self, face_id: str, descriptor: Descriptor) -> None:
        """Add a face, or replace the one with this id."""
        row = np.asarray(descriptor, dtype=np.float32).copy()
        if row.shape != (DESCRIPTOR_LENGTH,) or not np.isfinite(row).all():
            raise ValueError(f"a descriptor is {DESCRIPTOR_LENGTH} finite numbers")
        with self._lock:
            self._faces[face_id] = row
            self._rows = None

    def remove(self, face_id: str) -> bool:
        """Forget a face; False when it was not known."""
        with self._lock:
            self._rows = None
            return self._faces.pop(face_id, None) is not None

    def search(self, descriptor: Descriptor, min_similarity: float = 80.0) -> list[tuple[str, float]]:
        """Every face at least that similar as (face id, per cent), most similar first.

        A person with several faces is found several times: whose face it is, the caller knows.
        """
        ids, rows = self._snapshot()
        found = similarities(np.linalg.norm(rows - np.asarray(descriptor, dtype=np.float32), axis=1))
        hits = [(ids[row], float(found[row])) for row in np.flatnonzero(found >= min_similarity)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def _snapshot(self) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        with self._lock:
            if self._rows is None:
                rows = np.array(list(self._faces.values()), dtype=np.float32).reshape(-1, DESCRIPTOR_LENGTH)
                self._rows = (tuple(self._faces), rows)
            return self._rows
