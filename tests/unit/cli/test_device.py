"""The device that a command is about."""

from typing import Any

import pytest

from sightline_cli import device
from sightline_cli.device import settled_device, stream_of
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt


class FakeApi:
    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def device(self, device_id: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"device_id": device_id, "state": state, "state_reason": None, "video_stream_arn": None}


def test_a_device_that_was_registered_a_moment_ago_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "POLL_SECONDS", 0.01)
    api: Any = FakeApi("provisioning", "starting", "running")

    assert settled_device(api, "gate", Interrupt())["state"] == "running"
    assert capsys.readouterr().err == "device gate is provisioning: waiting for it\n"


def test_a_wait_for_a_device_ends_with_control_c() -> None:
    api: Any = FakeApi("provisioning")
    interrupt = Interrupt()
    interrupt.requested = True

    with pytest.raises(KeyboardInterrupt):
        settled_device(api, "gate", interrupt)


def test_a_device_without_streams_says_why() -> None:
    failed = {"device_id": "gate", "state": "failed", "state_reason": "ten processors run"}

    with pytest.raises(CliError, match=r"gate is failed \(ten processors run\): it has no video stream"):
        stream_of(failed, "video")
