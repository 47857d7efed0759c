"""Who finds the faces: `sightline_faces.FacePool`, or anything that answers like it."""

from concurrent.futures import Future
from typing import Protocol

from sightline_faces import Face, Picture


class FaceWorkers(Protocol):
    def submit(self, rgb: Picture, *, photo: bool = False) -> Future[list[Face]]: ...
    def warm(self) -> None: ...
    def close(self) -> None: ...
