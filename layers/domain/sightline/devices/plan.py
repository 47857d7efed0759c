"""What one lifecycle execution is to do: names and settings, and whether it is still the wanted one."""

from dataclasses import dataclass
from typing import Any, Final

from sightline.devices.model import Action, Device

# Rekognition's floor: the consumer applies each device's own threshold, so a change restarts no processor.
FACE_MATCH_THRESHOLD_PERCENT: Final = 80.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stack lives."""

    stack_name: str
    partition: str
    region: str
    account: str


@dataclass(frozen=True, slots=True)
class LifecycleRequest:
    """The input of an execution."""

    device_id: str
    action: Action
    generation: int


def plan(request: LifecycleRequest, device: Device | None, place: Place) -> dict[str, Any]:
    """The machine's variable `plan`; its action is "none" when a later request replaced this one."""
    device_id, stack = request.device_id, place.stack_name
    face_stream_name = f"{stack}-faces-{device_id}"
    streams = f"arn:{place.partition}:kinesis:{place.region}:{place.account}:stream"
    goes = request.action is Action.DELETE
    return {
        "action": request.action.value if _is_wanted(request, device) else "none",
        "device_id": device_id,
        "generation": request.generation,
        "video_stream_name": f"{stack}-{device_id}",
        "face_stream_name": face_stream_name,
        "face_stream_arn": f"{streams}/{face_stream_name}",
        "processor_name": f"{stack}-{device_id}",
        "retention_hours": device.retention_hours if device else 0,
        "face_match_threshold": FACE_MATCH_THRESHOLD_PERCENT,
        "tags": {"sightline:device": device_id, "sightline:stack": stack},
        "remove_face_stream": goes,
        "remove_video_stream": goes,
    }


def _is_wanted(request: LifecycleRequest, device: Device | None) -> bool:
    if device is None:
        # The row goes last, so a repeated deletion may find none: it removes what is left, if anything.
        return request.action is Action.DELETE
    return device.generation == request.generation
