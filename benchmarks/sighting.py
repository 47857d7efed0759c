"""A row of the sightings stream as long as a real one, for the benchmarks that send many."""

from datetime import datetime
from random import Random
from typing import Any

_MEASURES = (
    *("similarity", "face_confidence", "box_left", "box_top", "box_width", "box_height", "pose_pitch"),
    *("pose_roll", "pose_yaw", "brightness", "sharpness", "frame_offset_seconds"),
)
_MOMENTS = ("seen_at", "server_timestamp", "producer_timestamp", "recorded_at")


def sighting(
    chance: Random, number: int, at: datetime, *, device: str, name: str, is_known: bool = True, visit: str
) -> dict[str, Any]:
    """Of the person with that name, who may be unknown all the same; `number` makes the fragment."""
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "sighting_id": f"si-{chance.getrandbits(128):032x}",
        "device_id": device,
        "site": "Harbour",
        "person_id": name if is_known else None,
        "person_name": name,
        "watchlist_id": "default",
        "face_id": name,
        "external_image_id": name,
        **{measure: chance.uniform(0, 100) for measure in _MEASURES},
        "video_stream_arn": f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-{device}/1",
        "fragment_number": f"{91_343_852_333 * 10**36 + number}",
        "engine": "stream-processor",
        "visit_id": f"vi-{visit}",
        "schema_version": 1,
        **dict.fromkeys(_MOMENTS, moment),
    }
