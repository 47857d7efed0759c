"""Rekognition's collection behind a real boto3 client, which validates the requests (moto has none)."""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

BOX = {"Width": 0.4, "Height": 0.5, "Left": 0.3, "Top": 0.2}


@dataclass
class FakeRekognition:
    """`faces_in`: how many faces a photo shows, else one; `unindexed`: the reasons to refuse to index it."""

    faces_in: dict[bytes, int] = field(default_factory=dict)
    unindexed: list[str] = field(default_factory=list)
    not_pictures: set[bytes] = field(default_factory=set)
    resembling: dict[str, float] = field(default_factory=dict)  # external image id → similarity
    collection: dict[str, str] = field(default_factory=dict)  # face id → external image id
    error: str | None = None

    def attach(self, client: Any) -> None:
        client.meta.events.register("before-call.rekognition", self._answer)

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        request = json.loads(params["body"])
        if self.error:
            return self._refuse(self.error)
        photo = _photo(request.get("Image", {}))
        if photo in self.not_pictures:
            return self._refuse("InvalidImageFormatException")
        answer = {
            "DetectFaces": self._detect,
            "IndexFaces": self._index,
            "DeleteFaces": self._delete,
            "SearchFacesByImage": self._search,
        }
        return AWSResponse("", 200, HTTPHeaders(), None), answer[model.name](request, photo)

    def _refuse(self, code: str) -> tuple[AWSResponse, dict[str, Any]]:
        return AWSResponse("", 400, HTTPHeaders(), None), {"Error": {"Code": code, "Message": "…"}}

    def _detect(self, _request: dict[str, Any], photo: bytes) -> dict[str, Any]:
        return {"FaceDetails": [{"BoundingBox": BOX, "Confidence": 99.9}] * self.faces_in.get(photo, 1)}

    def _search(self, request: dict[str, Any], _photo: bytes) -> dict[str, Any]:
        found = sorted(self.resembling.items(), key=lambda each: -each[1])
        return {
            "FaceMatches": [
                {"Similarity": similarity, "Face": {"FaceId": "…", "ExternalImageId": person}}
                for person, similarity in found
                if similarity >= request["FaceMatchThreshold"]
            ]
        }

    def _index(self, request: dict[str, Any], photo: bytes) -> dict[str, Any]:
        if self.unindexed:
            return {"FaceRecords": [], "UnindexedFaces": [{"Reasons": self.unindexed}]}
        person = request["ExternalImageId"]
        face_id = str(uuid.UUID(bytes=hashlib.sha256(photo + person.encode()).digest()[:16]))
        self.collection[face_id] = person
        face = {"FaceId": face_id, "ExternalImageId": person, "BoundingBox": BOX, "Confidence": 99.9}
        return {"FaceRecords": [{"Face": face}], "UnindexedFaces": []}

    def _delete(self, request: dict[str, Any], _photo: bytes) -> dict[str, Any]:
        known = [each for each in request["FaceIds"] if self.collection.pop(each, None)]
        unknown = [
            {"FaceId": each, "Reasons": ["FACE_NOT_FOUND"]}
            for each in request["FaceIds"]
            if each not in known
        ]
        return {"DeletedFaces": known, "UnsuccessfulFaceDeletions": unknown}


def _photo(image: dict[str, Any]) -> bytes:
    """The bytes of a photo, or the key of an upload in their place."""
    if "S3Object" in image:
        return str(image["S3Object"]["Name"]).encode()
    return base64.b64decode(image.get("Bytes", ""))
