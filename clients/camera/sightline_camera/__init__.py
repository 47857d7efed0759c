"""A camera: video from a file into a Kinesis Video Stream over PutMedia, in real time."""

from sightline_camera.errors import CameraError
from sightline_camera.events import CameraEvent, Summary
from sightline_camera.producer import Pace
from sightline_camera.stream import stream_video

__all__ = ["CameraError", "CameraEvent", "Pace", "Summary", "stream_video"]
