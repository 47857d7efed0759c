"""Which faces of a photo are good enough to be indexed, and why the others are not."""

from dataclasses import dataclass

from sightline_faces import Face, Picture


@dataclass(frozen=True, slots=True)
class QualityBar:
    """The least that a face must have. Sizes in pixels, angles in degrees, the rest 0 to 100."""

    side_px: float
    confidence: float
    brightness: float
    sharpness: float
    yaw: float
    pitch: float


# On this engine's own scales: a crop of a webcam has a sharpness near 30, one blurred beyond use under 15.
_LOW = QualityBar(side_px=32, confidence=55, brightness=8, sharpness=12, yaw=45, pitch=50)
_AUTO = QualityBar(side_px=40, confidence=60, brightness=12, sharpness=18, yaw=40, pitch=45)
_MEDIUM = QualityBar(side_px=50, confidence=65, brightness=15, sharpness=25, yaw=35, pitch=40)
_HIGH = QualityBar(side_px=80, confidence=75, brightness=20, sharpness=40, yaw=30, pitch=30)

BARS = {"AUTO": _AUTO, "LOW": _LOW, "MEDIUM": _MEDIUM, "HIGH": _HIGH}


def faults(face: Face, picture: Picture, quality_filter: str) -> list[str]:
    """Reasons not to index the face, by Rekognition's names; none when it is good enough."""
    # A face turned too far has no descriptor: nothing could be compared with it, whatever the filter.
    turned = ["EXTREME_POSE"] if face.descriptor is None else []
    bar = BARS.get(quality_filter)
    return turned if bar is None else sorted({*turned, *_below(bar, face, picture)})


def _below(bar: QualityBar, face: Face, picture: Picture) -> list[str]:
    height, width, _ = picture.shape
    checks = {
        "SMALL_BOUNDING_BOX": min(face.box.width * width, face.box.height * height) < bar.side_px,
        "LOW_CONFIDENCE": face.confidence < bar.confidence,
        "LOW_BRIGHTNESS": face.quality.brightness < bar.brightness,
        "LOW_SHARPNESS": face.quality.sharpness < bar.sharpness,
        "EXTREME_POSE": abs(face.pose.yaw) > bar.yaw or abs(face.pose.pitch) > bar.pitch,
    }
    return [reason for reason, is_below in checks.items() if is_below]
