"""The life of the demo's device, as GET /devices/{device_id} tells it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline_cli.api import ApiClient, ApiError
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.stack import Stack

POLL_SECONDS = 0.2
RUNNING_SECONDS = 120.0
GONE_SECONDS = 60.0
ENDS = ("running", "failed")

OnState = Callable[[dict[str, Any]], None]


@dataclass
class DeviceWatch:
    """Follows one device and reports every change of its state once."""

    api: ApiClient
    device_id: str
    interrupt: Interrupt
    on_state: OnState
    _shown: tuple[str, str | None] | None = None

    def register(self, name: str, site: str) -> dict[str, Any]:
        """Register the device and wait until it runs; one that fails is an error with its reason."""
        device: dict[str, Any] = self.api.post(
            "/devices", {"device_id": self.device_id, "name": name, "site": site}
        )
        deadline = time.monotonic() + RUNNING_SECONDS
        while self._show(device)["state"] not in ENDS:
            if time.monotonic() > deadline:
                raise CliError(f"the device is still {device['state']} after {RUNNING_SECONDS:.0f} s")
            self.interrupt.sleep(POLL_SECONDS)
            device = self.api.device(self.device_id)
        if device["state"] == "failed":
            raise CliError(f"the device failed: {device.get('state_reason') or 'no reason given'}")
        return device

    def remove(self) -> None:
        """Delete the device and wait until it is gone."""
        self.api.delete(f"/devices/{self.device_id}")
        deadline = time.monotonic() + GONE_SECONDS
        while (device := self._read()) is not None:
            self._show(device)
            if device["state"] == "failed":
                raise CliError(f"the device could not be removed: {device.get('state_reason')}")
            if time.monotonic() > deadline:
                raise CliError(f"the device is still {device['state']} {GONE_SECONDS:.0f} s after DELETE")
            self.interrupt.sleep(POLL_SECONDS)
        self._show({"device_id": self.device_id, "state": "deleted"})

    def _read(self) -> dict[str, Any] | None:
        try:
            return self.api.device(self.device_id)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def _show(self, device: dict[str, Any]) -> dict[str, Any]:
        shown = (str(device["state"]), device.get("state_reason"))
        if shown != self._shown:
            self._shown = shown
            self.on_state(device)
        return device


def streams_left(stack: Stack, device: dict[str, Any]) -> list[str]:
    """Name what a removed device left behind (nothing, if the lifecycle keeps its promise)."""
    video, faces = stack.client("kinesisvideo"), stack.client("kinesis")
    left = []
    if _exists(video.describe_stream, StreamARN=device["video_stream_arn"]):
        left.append("video stream")
    if _exists(faces.describe_stream_summary, StreamName=face_stream_name(device)):
        left.append("face stream")
    return left


def face_stream_name(device: dict[str, Any]) -> str:
    return str(device["face_stream_arn"]).rsplit("/", 1)[1]


def _exists(describe: Callable[..., Any], **named: str) -> bool:
    try:
        describe(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True
