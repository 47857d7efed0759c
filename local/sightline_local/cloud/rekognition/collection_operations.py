"""CreateCollection, DescribeCollection, ListCollections, DeleteCollection, ListFaces, DeleteFaces."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sightline_local.cloud.paging import page
from sightline_local.cloud.rekognition.collection import MODEL_VERSION, Collection, Collections
from sightline_local.cloud.rekognition.kept_faces import KeptCollections
from sightline_local.cloud.rekognition.shapes import listed_face
from sightline_local.cloud.service import ServiceError
from sightline_local.state import Facts

MAX_RESULTS = 4096
_BAD_TOKEN = "InvalidPaginationTokenException"  # noqa: S105  the name of an error


class CollectionOperations:
    def __init__(self, arn_prefix: str, clock: Callable[[], datetime], facts: Facts) -> None:
        self._clock = clock
        self._collections = Collections(arn_prefix, KeptCollections(facts))

    def restore(self) -> list[str]:
        return self._collections.restore()

    def find(self, collection_id: str) -> Collection | None:
        return self._collections.get(collection_id)

    def get(self, params: dict[str, Any]) -> Collection:
        """The collection that CollectionId names; ServiceError when there is none."""
        collection = self.find(params["CollectionId"])
        if collection is None:
            raise _no_such_collection(params)
        return collection

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        collection_id = params["CollectionId"]
        collection = self._collections.create(collection_id, self._clock())
        if collection is None:
            raise ServiceError(
                "ResourceAlreadyExistsException", f"The collection id: {collection_id} already exists"
            )
        return {"StatusCode": 200, "CollectionArn": collection.arn, "FaceModelVersion": MODEL_VERSION}

    def describe(self, params: dict[str, Any]) -> dict[str, Any]:
        collection = self.get(params)
        return {
            "FaceCount": len(collection),
            "UserCount": 0,
            "FaceModelVersion": MODEL_VERSION,
            "CollectionARN": collection.arn,
            "CreationTimestamp": collection.created_at,
        }

    def list(self, params: dict[str, Any]) -> dict[str, Any]:
        ids, token = page(self._collections.ids(), params.get("NextToken"), _limit(params), error=_BAD_TOKEN)
        listed = {"CollectionIds": ids, "FaceModelVersions": [MODEL_VERSION] * len(ids)}
        return listed | ({"NextToken": token} if token else {})

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        if not self._collections.remove(params["CollectionId"]):
            raise _no_such_collection(params)
        return {"StatusCode": 200}

    def list_faces(self, params: dict[str, Any]) -> dict[str, Any]:
        if "UserId" in params:
            raise ServiceError(
                "InvalidParameterException", "The local runtime does not emulate users (UserId)."
            )
        wanted = params.get("FaceIds")
        faces = {
            face.face_id: face for face in self.get(params).faces() if not wanted or face.face_id in wanted
        }
        ids, token = page(list(faces), params.get("NextToken"), _limit(params), error=_BAD_TOKEN)
        listed: dict[str, Any] = {
            "Faces": [listed_face(faces[face_id]) for face_id in ids],
            "FaceModelVersion": MODEL_VERSION,
        }
        return listed | ({"NextToken": token} if token else {})

    def delete_faces(self, params: dict[str, Any]) -> dict[str, Any]:
        removed, missing = self.get(params).remove(params["FaceIds"])
        return {
            "DeletedFaces": removed,
            "UnsuccessfulFaceDeletions": [
                {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]} for face_id in missing
            ],
        }


def _limit(params: dict[str, Any]) -> int:
    return int(params.get("MaxResults") or MAX_RESULTS)


def _no_such_collection(params: dict[str, Any]) -> ServiceError:
    return ServiceError(
        "ResourceNotFoundException", f"The collection id: {params['CollectionId']} does not exist"
    )
