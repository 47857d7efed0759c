"""The device of a command, once it has come to rest."""

import sys
import time
from typing import Any

from sightline_cli.api import ApiClient
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt

UNDER_WAY = ("provisioning", "starting")
POLL_SECONDS = 0.5
READY_SECONDS = 120.0


def settled_device(api: ApiClient, device_id: str, interrupt: Interrupt) -> dict[str, Any]:
    """Read the device; one that was registered a moment ago is waited for."""
    device = api.device(device_id)
    if device["state"] in UNDER_WAY:
        print(f"device {device_id} is {device['state']}: waiting for it", file=sys.stderr)
    deadline = time.monotonic() + READY_SECONDS
    while device["state"] in UNDER_WAY:
        if time.monotonic() > deadline:
            raise CliError(f"device {device_id} is still {device['state']} after {READY_SECONDS:.0f} s")
        interrupt.sleep(POLL_SECONDS)
        device = api.device(device_id)
    return device


def stream_of(device: dict[str, Any], kind: str) -> str:
    """Give the ARN of the device's "video" or "face" stream; CliError if it has none."""
    arn = device.get(f"{kind}_stream_arn")
    if not arn:
        reason = f" ({device['state_reason']})" if device.get("state_reason") else ""
        raise CliError(f"device {device['device_id']} is {device['state']}{reason}: it has no {kind} stream")
    return str(arn)
