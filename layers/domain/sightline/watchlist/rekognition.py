"""The face collection."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.errors import ConflictError, RejectedError, TooLargeError, UnavailableError
from sightline.watchlist.photo import Photo
from sightline.watchlist.quality import FoundFace, Indexing

# Rekognition knows no resemblance below.
MIN_SIMILARITY_PERCENT = 80.0
# More than one person can have, so that somebody's own faces leave room for others.
MAX_RESEMBLING = 200


@dataclass(frozen=True, slots=True)
class RekognitionCollection:
    """`client` is a boto3 Rekognition client; uploads it reads from `photos_bucket` with our permissions."""

    client: Any
    collection_id: str
    photos_bucket: str

    def detect(self, photo: Photo) -> Sequence[FoundFace]:
        with _refusals_of_a_photo():
            found = self.client.detect_faces(Image=self._image(photo))
        return [
            FoundFace(face["BoundingBox"]["Width"], face["BoundingBox"]["Height"], face["Confidence"])
            for face in found["FaceDetails"]
        ]

    def index(self, photo: Photo, *, person_id: str) -> Indexing:
        with _refusals_of_a_photo():
            done = self.client.index_faces(
                CollectionId=self.collection_id,
                Image=self._image(photo),
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

    def resembling(self, photo: Photo) -> Sequence[tuple[str, float]]:
        """The search takes the largest face, as IndexFaces does; Rekognition sorts by similarity."""
        try:
            with busy_means_unavailable("Rekognition"):
                found = self.client.search_faces_by_image(
                    CollectionId=self.collection_id,
                    Image=self._image(photo),
                    FaceMatchThreshold=MIN_SIMILARITY_PERCENT,
                    MaxFaces=MAX_RESEMBLING,
                )
        except ClientError as error:
            # The search may find no face where DetectFaces did: then it can warn of nobody.
            if error_code(error) == "InvalidParameterException":
                return ()
            raise
        best: dict[str, float] = {}
        for match in found["FaceMatches"]:
            person_id = match["Face"].get("ExternalImageId")
            if person_id is not None:
                best.setdefault(person_id, match["Similarity"])
        return list(best.items())

    def _image(self, photo: Photo) -> dict[str, Any]:
        if photo.upload_key is None:
            return {"Bytes": photo.content}
        return {"S3Object": {"Bucket": self.photos_bucket, "Name": photo.upload_key}}


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
            raise TooLargeError("The photo is too large for Rekognition: 15 MB is the most.") from error
        if code == "InvalidS3ObjectException":  # it was there a moment ago: enrolled or removed meanwhile
            raise ConflictError("The uploaded photo has just been used or removed.") from error
        if code == "InvalidParameterException":  # of our parameters only the photo comes from the caller
            raise RejectedError(
                "Rekognition cannot use this photo: is a side shorter than 80 pixels?"
            ) from error
        raise
