"""Faces in the members of Rekognition's answers and records."""

from typing import Any

from sightline_faces import Box
from sightline_local.cloud.rekognition.collection import MODEL_VERSION
from sightline_local.cloud.rekognition.kept_faces import KnownFace


def bounding_box(box: Box) -> dict[str, float]:
    return {"Height": box.height, "Width": box.width, "Left": box.left, "Top": box.top}


def listed_face(face: KnownFace) -> dict[str, Any]:
    """`Face` of IndexFaces, ListFaces and SearchFacesByImage."""
    return {**matched_face(face), "IndexFacesModelVersion": MODEL_VERSION}


def matched_face(face: KnownFace) -> dict[str, Any]:
    """`Face` of a face record: ExternalImageId is left out when none was given."""
    shape: dict[str, Any] = {
        "BoundingBox": bounding_box(face.box),
        "FaceId": face.face_id,
        "Confidence": face.confidence,
        "ImageId": face.image_id,
    }
    return shape if face.external_image_id is None else {**shape, "ExternalImageId": face.external_image_id}
