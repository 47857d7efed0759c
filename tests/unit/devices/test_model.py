import pytest

from sightline.devices.model import Action, CameraCredentials, Desired, State
from tests.builders import FACE_STREAM_ARN, VIDEO_STREAM_ARN, a_device, a_stopped_device
from tests.fakes.devices import FakeClock

NOW = FakeClock().now


@pytest.mark.parametrize(
    ("action", "state", "settled"),
    [
        (Action.START, State.RUNNING, True),
        (Action.STOP, State.STOPPED, True),
        (Action.STOP, State.RUNNING, False),
        (Action.START, State.PROVISIONING, False),
        (Action.START, State.STARTING, False),
        (Action.START, State.FAILED, False),
        (Action.STOP, State.FAILED, False),
        (Action.DELETE, State.DELETING, False),
    ],
)
def test_a_device_is_settled_when_it_does_what_was_asked_last(
    action: Action, state: State, settled: bool
) -> None:
    assert a_device(action=action, state=state).is_settled is settled


def test_each_request_has_the_next_generation_and_says_when_it_was_made() -> None:
    device = a_stopped_device(generation=7)

    asked = device.asked_to(Action.START, NOW)

    assert (asked.generation, asked.requested_at, asked.updated_at) == (8, NOW, NOW)


def test_a_device_asked_to_start_provisions_only_what_it_lacks() -> None:
    known, new = a_stopped_device(), a_stopped_device(video_stream_arn=None)

    states = [device.asked_to(Action.START, NOW).state for device in (known, new)]

    assert states == [State.STARTING, State.PROVISIONING]


def test_a_device_asked_to_stop_keeps_its_state_until_it_has_stopped() -> None:
    asked = a_device(state=State.FAILED, state_reason="why").asked_to(Action.STOP, NOW)

    assert (asked.desired, asked.state, asked.state_reason) == (Desired.STOPPED, State.FAILED, "why")


def test_a_device_asked_to_go_is_deleting_and_forgets_why_it_failed() -> None:
    asked = a_device(state=State.FAILED, state_reason="why").asked_to(Action.DELETE, NOW)

    assert (asked.desired, asked.state, asked.state_reason) == (Desired.STOPPED, State.DELETING, None)


def test_the_api_shows_the_device_and_nothing_of_its_lifecycle() -> None:
    shown = a_device().to_json()

    assert shown == {
        "device_id": "gate-3",
        "name": "Gate 3",
        "site": "Harbour",
        "location": {"latitude": 53.54, "longitude": 9.98},
        "time_zone": "Europe/Berlin",
        "engine": "stream-processor",
        "similarity_threshold": 92.5,
        "retention_hours": 48,
        "zones": [],
        "vote": {"k": 1, "n": 1},
        "visit_gap_seconds": None,
        "cool_down_seconds": 0,
        "keep_unknown_faces": False,
        "alert_unknown_faces": False,
        "people_limit": None,
        "desired": "running",
        "state": "running",
        "state_reason": None,
        "video_stream_arn": VIDEO_STREAM_ARN,
        "face_stream_arn": FACE_STREAM_ARN,
        "last_face_record_at": None,
        "created_at": "2026-11-22T11:00:00.000Z",
        "updated_at": "2026-11-22T11:00:00.000Z",
    }


def test_credentials_do_not_print_their_secrets() -> None:
    credentials = CameraCredentials("AKIA1", "very-secret", "a-token", NOW, "arn:video", "us-east-1")

    printed = f"{credentials!r} {credentials}"

    assert not [secret for secret in ("AKIA1", "very-secret", "a-token") if secret in printed]
