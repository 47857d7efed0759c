"""Where the proof of an alert is found: the frame in the video stream, and what was seen in it."""

from typing import Any

from sightline.clock import to_iso
from sightline.sightings.model import Sighting


def evidence_of(sighting: Sighting) -> dict[str, Any]:
    """The evidence block of an alert before anything was collected."""
    frame, box = sighting.frame, sighting.face.box
    return {
        "status": "pending",
        "video_stream_arn": frame.video_stream_arn,
        "fragment_number": frame.fragment_number,
        "frame_offset_seconds": frame.frame_offset_seconds,
        "producer_timestamp": to_iso(frame.producer_timestamp),
        "server_timestamp": to_iso(frame.server_timestamp),
        "face_index": sighting.face.index,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        "face_record": _face_record(sighting),
    }


def _face_record(sighting: Sighting) -> dict[str, Any]:
    """The part of the face record that matched, in Rekognition's words, as far as we read it."""
    face, match = sighting.face, sighting.match
    detected: dict[str, Any] = {
        "BoundingBox": {
            "Left": face.box.left,
            "Top": face.box.top,
            "Width": face.box.width,
            "Height": face.box.height,
        },
        "Confidence": face.confidence_percent,
        "Quality": {"Brightness": face.brightness_percent, "Sharpness": face.sharpness_percent},
    }
    if face.pose is not None:
        detected["Pose"] = {"Pitch": face.pose.pitch, "Roll": face.pose.roll, "Yaw": face.pose.yaw}
    matched = match and {
        "Similarity": match.similarity_percent,
        "Face": {"FaceId": match.face_id, "ExternalImageId": match.external_image_id},
    }
    return {"DetectedFace": detected, "MatchedFaces": [matched] if matched else []}
