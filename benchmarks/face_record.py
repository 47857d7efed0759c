"""A face record as Rekognition writes it, with one matched face or none."""

import json


def face_record(
    video_stream_arn: str, seconds: float, *, producer_seconds: float, face_id: str | None, person_id: str
) -> bytes:
    """The frame `seconds` into a stream of one-second fragments that began at `producer_seconds`."""
    match = {
        "Similarity": 97.2,
        "Face": {"FaceId": face_id, "ExternalImageId": person_id, "Confidence": 99.9},
    }
    detected = {
        "BoundingBox": {"Height": 0.25, "Width": 0.15, "Left": 0.4, "Top": 0.3},
        "Confidence": 99.9,
        "Landmarks": [{"X": 0.44, "Y": 0.43, "Type": "eyeLeft"}, {"X": 0.48, "Y": 0.43, "Type": "eyeRight"}],
        "Pose": {"Pitch": 2.9, "Roll": -6.8, "Yaw": 13.8},
        "Quality": {"Brightness": 60.5, "Sharpness": 96.0},
    }
    video = {
        "StreamArn": video_stream_arn,
        "FragmentNumber": f"{91343852333200000000000000000000000000000000000 + int(seconds)}",
        "ServerTimestamp": producer_seconds + int(seconds) + 0.2,
        "ProducerTimestamp": producer_seconds + int(seconds),
        "FrameOffsetInSeconds": round(seconds % 1, 3),
    }
    faces = [{"DetectedFace": detected, "MatchedFaces": [match]}] if face_id else []
    return json.dumps(
        {
            "InputInformation": {"KinesisVideo": video},
            "StreamProcessorInformation": {"Status": "RUNNING"},
            "FaceSearchResponse": faces,
        }
    ).encode()
