"""The face collection."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.errors import RejectedError, TooLargeError, UnavailableError
from sightline.watchlist.model import FoundFace, Indexing


@dataclass(frozen=True, slots=True)
class RekognitionCollection:
    """`client` is a boto3 Rekognition client."""

    client: Any
    collection_id: str

    def detect(self, photo: bytes) -> Sequence[FoundFace]:
        with _refusals_of_a_photo():
            found = self.client.detect_faces(Image={"Bytes": photo})
        return [
            FoundFace(face["BoundingBox"]["Width"], face["BoundingBox"]["Height"], face["Confidence"])
            for face in found["FaceDetails"]
        ]

    def index(self, photo: bytes, *, person_id: str) -> Indexing:
        with _refusals_of_a_photo():
            done = self.client.index_faces(
                CollectionId=self.collection_id,
                Image={"Bytes": photo},
                ExternalImageId=person_id,
                MaxFaces=1,
                QualityFilter="AUTO",
            )
        if not done["FaceRecords"]:
            reasons = [
                reason for face in done.get("UnindexedFaces", ()) for reason in face.get("Reasons", ())
            ]
            return Indexing(None, reasons=tuple(reasons))
        face = done["FaceRecords"][0]["Face"]
        return Indexing(face["FaceId"], face.get("ExternalImageId"))

    def remove(self, face_ids: Sequence[str]) -> None:
        with busy_means_unavailable("Rekognition"):
            done = self.client.delete_faces(CollectionId=self.collection_id, FaceIds=list(face_ids))
        # A face that is gone already is reported as unsuccessful too, and is what we want.
        kept = [
            face
            for face in done.get("UnsuccessfulFaceDeletions", ())
            if face.get("Reasons") != ["FACE_NOT_FOUND"]
        ]
        if kept:
            raise UnavailableError(
                f"Rekognition did not remove {len(kept)} of {len(face_ids)} faces; try again."
            )


@contextmanager
def _refusals_of_a_photo() -> Iterator[None]:
    try:
        with busy_means_unavailable("Rekognition"):
            yield
    except ClientError as error:
        code = error_code(error)
        if code == "InvalidImageFormatException":
            raise RejectedError("The image is not a JPEG or PNG picture that can be read.") from error
        if code == "ImageTooLargeException":
            raise TooLargeError("The photo is too large for Rekognition: 5 MB is the most.") from error
        if code == "InvalidParameterException":  # of our parameters only the photo comes from the caller
            raise RejectedError(
                "Rekognition cannot use this photo: is a side shorter than 80 pixels?"
            ) from error
        raise
