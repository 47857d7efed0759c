"""Faces without a cloud service: find them, describe them, compare them.

The networks are dlib's own (public domain, from the package face_recognition_models), run by onnxruntime:

    picture ─▶ detector (CNN, image pyramid) ─▶ landmarks (5 points) ─▶ 150 px chip ─▶ embedder ─▶ 128 numbers

`FaceEngine` does this in the caller's process, `FacePool` in one worker process per core. Two descriptors are
as alike as they are near; `similarity` puts their distance on the scale of Rekognition's FaceMatchThreshold.
A descriptor is missing when a face is turned too far away to be recognised: it is still reported as seen.
"""

from sightline_faces.engine import FaceEngine
from sightline_faces.errors import (
    BuildError,
    FaceEngineError,
    PhotoError,
    PoolClosedError,
    WeightsError,
    WorkerError,
)
from sightline_faces.face import Box, Descriptor, Face, Picture, Pose, Quality
from sightline_faces.gallery import Gallery
from sightline_faces.photo import read_photo
from sightline_faces.pool import FacePool
from sightline_faces.record import detected_face, face_detail
from sightline_faces.scale import distance, similarity

__all__ = [
    "Box",
    "BuildError",
    "Descriptor",
    "Face",
    "FaceEngine",
    "FaceEngineError",
    "FacePool",
    "Gallery",
    "PhotoError",
    "Picture",
    "PoolClosedError",
    "Pose",
    "Quality",
    "WeightsError",
    "WorkerError",
    "detected_face",
    "distance",
    "face_detail",
    "read_photo",
    "similarity",
]
