"""A face in the words of Rekognition."""

from typing import Any

from sightline_faces.face import Face


def detected_face(face: Face) -> dict[str, Any]:
    """`DetectedFace` of a face search record. There is no mouth: the five points do not know one."""
    return {
        "BoundingBox": {
            "Height": face.box.height,
            "Width": face.box.width,
            "Left": face.box.left,
            "Top": face.box.top,
        },
        "Confidence": face.confidence,
        "Landmarks": [{"X": x, "Y": y, "Type": name} for name, (x, y) in face.landmarks.items()],
        "Pose": {"Pitch": face.pose.pitch, "Roll": face.pose.roll, "Yaw": face.pose.yaw},
        "Quality": {"Brightness": face.quality.brightness, "Sharpness": face.quality.sharpness},
    }


def face_detail(face: Face) -> dict[str, Any]:
    """`FaceDetail` of DetectFaces and IndexFaces with their default attributes: the same words."""
    return detected_face(face)
