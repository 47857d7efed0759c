"""What a pool and its workers say to each other over a pipe.

A message is two lengths (4 bytes each, little-endian), so many bytes of JSON, and so many raw bytes:

    pool → worker   {"height", "width", "largest_only", "photo"}   the picture's rgb bytes
    worker → pool   {"ready": true}                                once, when the networks are loaded
    worker → pool   {"faces": [...]}                               128 float32 per face that "has_descriptor"
    worker → pool   {"error": {"kind", "message"}}                 the worker ends
"""

import json
import struct
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from sightline_faces.errors import BuildError, FaceEngineError, WeightsError
from sightline_faces.face import Box, Descriptor, Face, Picture, Pose, Quality

LENGTHS = struct.Struct("<II")

Message = tuple[dict[str, Any], bytes]

ERRORS: dict[str, type[FaceEngineError]] = {kind.__name__: kind for kind in (WeightsError, BuildError)}


def send(pipe: IO[bytes], header: dict[str, Any], *parts: bytes | memoryview) -> None:
    encoded = json.dumps(header, separators=(",", ":")).encode()
    pipe.write(LENGTHS.pack(len(encoded), sum(len(part) for part in parts)) + encoded)
    for part in parts:
        pipe.write(part)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Message | None:
    """The next message, or None when the other side is gone."""
    lengths = pipe.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    header_bytes, raw_bytes = LENGTHS.unpack(lengths)
    content = pipe.read(header_bytes + raw_bytes)
    if len(content) < header_bytes + raw_bytes:
        return None
    header: dict[str, Any] = json.loads(content[:header_bytes])
    return header, content[header_bytes:]


def send_picture(pipe: IO[bytes], rgb: Picture, *, largest_only: bool, photo: bool) -> None:
    height, width, _ = rgb.shape
    header = {"height": height, "width": width, "largest_only": largest_only, "photo": photo}
    send(pipe, header, rgb.data.cast("B"))


def picture_of(message: Message) -> Picture:
    header, raw = message
    return np.frombuffer(raw, np.uint8).reshape(header["height"], header["width"], 3)


def send_faces(pipe: IO[bytes], faces: Sequence[Face]) -> None:
    descriptors = [face.descriptor.astype("<f4").tobytes() for face in faces if face.descriptor is not None]
    send(pipe, {"faces": [_to_json(face) for face in faces]}, *descriptors)


def faces_of(message: Message) -> list[Face]:
    header, raw = message
    if "error" in header:
        raise error_of(header)
    descriptors = iter(np.frombuffer(raw, "<f4").reshape(-1, 128))
    return [
        _from_json(face, next(descriptors) if face["has_descriptor"] else None) for face in header["faces"]
    ]


def send_error(pipe: IO[bytes], error: FaceEngineError) -> None:
    send(pipe, {"error": {"kind": type(error).__name__, "message": str(error)}})


def error_of(header: dict[str, Any]) -> FaceEngineError:
    error = header["error"]
    return ERRORS.get(error["kind"], FaceEngineError)(error["message"])


def _to_json(face: Face) -> dict[str, Any]:
    box, pose, quality = face.box, face.pose, face.quality
    return {
        "box": [box.left, box.top, box.width, box.height],
        "confidence": face.confidence,
        "landmarks": {name: list(point) for name, point in face.landmarks.items()},
        "pose": [pose.pitch, pose.roll, pose.yaw],
        "quality": [quality.brightness, quality.sharpness],
        "has_descriptor": face.descriptor is not None,
    }


def _from_json(face: dict[str, Any], descriptor: Descriptor | None) -> Face:
    return Face(
        box=Box(*face["box"]),
        confidence=face["confidence"],
        landmarks={name: (x, y) for name, (x, y) in face["landmarks"].items()},
        pose=Pose(*face["pose"]),
        quality=Quality(*face["quality"]),
        descriptor=descriptor,
    )
