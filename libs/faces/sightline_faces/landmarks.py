"""Five points of a face, and what follows from them: pose, and the upright chip that is embedded."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline_faces.detector import Detection
from sightline_faces.face import Picture, Pose
from sightline_faces.weights import LANDMARKS, checked_path

CHIP_PX = 150
CHIP_PADDING = 0.25

MAX_TURN = 0.25
"""Beyond this (about 29 degrees of yaw) the embedder measures profiles more than persons."""

NOSE_DEPTH = 0.45
NOSE_DROP = 0.72
"""How far the nose stands before and below the eyes, in eye distances: medians of frontal faces."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Pixels (x, y) of eye centres and nose; left is left in the image."""

    eye_left: Points
    eye_right: Points
    nose: Points

    def turn(self) -> float:
        """How far the nose is off the middle between the eyes, in eye distances; > 0 to image right."""
        return self._nose_offset()[0]

    def is_recognisable(self) -> bool:
        return abs(self.turn()) < MAX_TURN

    def pose(self) -> Pose:
        across, down = self._nose_offset()
        eyes = self.eye_right - self.eye_left
        yaw = math.atan(across / NOSE_DEPTH)
        # The drop is measured in eye distances, and a turned face shows its eyes closer together.
        # Looking up lifts the nose: drop = NOSE_DROP * cos(pitch) - NOSE_DEPTH * sin(pitch).
        reach = math.hypot(NOSE_DROP, NOSE_DEPTH)
        level = math.atan2(NOSE_DEPTH, NOSE_DROP)
        pitch = math.acos(max(-1.0, min(1.0, down * math.cos(yaw) / reach))) - level
        roll = math.atan2(eyes[1], eyes[0])
        return Pose(pitch=math.degrees(pitch), roll=math.degrees(roll), yaw=math.degrees(yaw))

    def _nose_offset(self) -> tuple[float, float]:
        """Along the line of the eyes and square to it, in eye distances."""
        eyes = self.eye_right - self.eye_left
        squared = float(eyes @ eyes)
        if squared == 0.0:
            return math.inf, 0.0
        nose = self.nose - (self.eye_left + self.eye_right) / 2
        return float(nose @ eyes) / squared, float(eyes[0] * nose[1] - eyes[1] * nose[0]) / squared


class LandmarkFinder:
    """dlib's 5-point shape predictor."""

    def __init__(self) -> None:
        import dlib  # noqa: PLC0415 (slow to load; the process that only holds a pool never needs it)

        self._dlib: Any = dlib
        self._predict = dlib.shape_predictor(str(checked_path(LANDMARKS)))

    def find(self, rgb: Picture, face: Detection) -> tuple[Landmarks, Picture]:
        """The points, and the face upright on 150 x 150 px."""
        corners = (face.left, face.top, face.left + face.side, face.top + face.side)
        shape = self._predict(rgb, self._dlib.rectangle(*(round(corner) for corner in corners)))
        points = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float64)
        # The first two points are the corners of the eye on image right, the next two of the other one.
        landmarks = Landmarks(eye_left=points[2:4].mean(0), eye_right=points[0:2].mean(0), nose=points[4])
        return landmarks, self._dlib.get_face_chip(rgb, shape, CHIP_PX, CHIP_PADDING)
