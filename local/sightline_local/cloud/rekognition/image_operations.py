"""IndexFaces, SearchFacesByImage and DetectFaces."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sightline_faces import Face, FaceEngineError, Picture, face_detail
from sightline_local.cloud.rekognition.collection import MODEL_VERSION, Collection
from sightline_local.cloud.rekognition.face_workers import FaceWorkers
from sightline_local.cloud.rekognition.images import read_image
from sightline_local.cloud.rekognition.kept_faces import KnownFace
from sightline_local.cloud.rekognition.quality import faults
from sightline_local.cloud.rekognition.shapes import bounding_box, listed_face
from sightline_local.cloud.service import ServiceError

MAX_FACES_PER_IMAGE = 100

Found = tuple[Face, int]


class ImageOperations:
    def __init__(self, pool: Callable[[], FaceWorkers]) -> None:
        self._pool = pool

    def detect_faces(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse_attributes(params.get("Attributes", []), "Attributes")
        _, picture = read_image(params["Image"])
        return {"FaceDetails": [face_detail(face) for face in self._largest_first(picture)]}

    def index_faces(self, collection: Collection, params: dict[str, Any]) -> dict[str, Any]:
        """Keep the largest faces that are good enough; the same photo again changes nothing."""
        _refuse_attributes(params.get("DetectionAttributes", []), "DetectionAttributes")
        data, picture = read_image(params["Image"])
        image_hash = hashlib.sha256(data).hexdigest()
        kept, left_out = self._sort_out(picture, params)
        external_id = params.get("ExternalImageId")
        indexed = [(_known(collection, face, image_hash, number, external_id), face) for face, number in kept]
        collection.add(*((known, face.descriptor) for known, face in indexed if face.descriptor is not None))
        return {
            "FaceRecords": [
                {"Face": listed_face(known), "FaceDetail": face_detail(face)} for known, face in indexed
            ],
            "FaceModelVersion": MODEL_VERSION,
            "UnindexedFaces": [
                {"Reasons": reasons, "FaceDetail": face_detail(face)} for face, reasons in left_out
            ],
        }

    def search_faces_by_image(self, collection: Collection, params: dict[str, Any]) -> dict[str, Any]:
        """Look for the largest face of the picture."""
        _, picture = read_image(params["Image"])
        faces = self._largest_first(picture)
        good = [face for face in faces if not faults(face, picture, params.get("QualityFilter", "NONE"))]
        if not faces or not (good or "QualityFilter" not in params):
            raise ServiceError(
                "InvalidParameterException", "There are no faces in the image. Should be at least 1."
            )
        face = good[0] if good else faces[0]
        found = (
            []
            if face.descriptor is None
            else collection.search(face.descriptor, params.get("FaceMatchThreshold", 80.0))
        )
        return {
            "SearchedFaceBoundingBox": bounding_box(face.box),
            "SearchedFaceConfidence": face.confidence,
            "FaceMatches": [
                {"Similarity": similarity, "Face": listed_face(known)}
                for known, similarity in found[: params.get("MaxFaces", 4096)]
            ],
            "FaceModelVersion": MODEL_VERSION,
        }

    def _sort_out(
        self, picture: Picture, params: dict[str, Any]
    ) -> tuple[list[Found], list[tuple[Face, list[str]]]]:
        kept: list[Found] = []
        left_out: list[tuple[Face, list[str]]] = []
        limit = min(params.get("MaxFaces", MAX_FACES_PER_IMAGE), MAX_FACES_PER_IMAGE)
        for number, face in enumerate(self._largest_first(picture)):
            reasons = faults(face, picture, params.get("QualityFilter", "AUTO"))
            if not reasons and len(kept) < limit:
                kept.append((face, number))
            else:
                left_out.append((face, reasons or ["EXCEEDS_MAX_FACES"]))
        return kept, left_out

    def _largest_first(self, picture: Picture) -> list[Face]:
        try:
            faces = self._pool().submit(picture, photo=True).result()
        except FaceEngineError as error:
            raise ServiceError(
                "InternalServerError", f"The face engine failed: {error}", status=500
            ) from error
        return sorted(faces, key=lambda face: -face.box.width * face.box.height)


def _known(
    collection: Collection, face: Face, image_hash: str, number: int, external_image_id: str | None
) -> KnownFace:
    face_id = _uuid("face", image_hash, str(number))
    known = collection.get(face_id)
    if known and known.external_image_id != external_image_id:
        # The same photo for somebody else is another face to AWS, too.
        face_id = _uuid("face", image_hash, str(number), external_image_id or "")
    return KnownFace(face_id, _uuid("image", image_hash), external_image_id, face.box, face.confidence)


def _uuid(*parts: str) -> str:
    """A pure function of image and model: as on AWS, the same photo has the same ids in every collection."""
    digest = hashlib.sha256("/".join((MODEL_VERSION, *parts)).encode()).digest()
    return str(UUID(bytes=digest[:16], version=5))


def _refuse_attributes(wanted: list[str], member: str) -> None:
    others = [attribute for attribute in wanted if attribute != "DEFAULT"]
    if others:
        raise ServiceError(
            "InvalidParameterException",
            f"The local runtime emulates {member} DEFAULT, not {', '.join(others)}.",
        )
