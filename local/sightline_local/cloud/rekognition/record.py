"""Face records: what a stream processor writes for each frame that it analysed.

https://docs.aws.amazon.com/rekognition/latest/dg/streaming-video-kinesis-output-reference.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sightline_faces import Face, detected_face
from sightline_local.cloud.rekognition.kept_faces import KnownFace
from sightline_local.cloud.rekognition.shapes import matched_face


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where in the video a frame is. Timestamps are the fragment's, in epoch seconds."""

    stream_arn: str
    fragment_number: str
    server_timestamp: float
    producer_timestamp: float
    frame_offset_seconds: float


Matches = list[tuple[KnownFace, float]]


def face_record(place: FramePlace, faces: Iterable[tuple[Face, Matches]]) -> dict[str, Any]:
    """A frame without faces has a record, too: with an empty FaceSearchResponse."""
    return {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": place.stream_arn,
                "FragmentNumber": place.fragment_number,
                "ServerTimestamp": place.server_timestamp,
                "ProducerTimestamp": place.producer_timestamp,
                "FrameOffsetInSeconds": place.frame_offset_seconds,
            }
        },
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [
            {
                "DetectedFace": detected_face(face),
                "MatchedFaces": [
                    {"Similarity": similarity, "Face": matched_face(known)} for known, similarity in matches
                ],
            }
            for face, matches in faces
        ],
    }
