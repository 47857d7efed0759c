import pytest

from sightline.devices.model import Action
from sightline.devices.plan import LifecycleRequest, Place, plan
from tests.builders import a_device

PLACE = Place("sightline", "aws", "eu-west-1", "111122223333")


def test_a_start_is_planned_with_every_name_the_machine_needs() -> None:
    planned = plan(LifecycleRequest("gate-3", Action.START, 5), a_device(generation=5), PLACE)

    assert planned == {
        "action": "start",
        "device_id": "gate-3",
        "generation": 5,
        "video_stream_name": "sightline-gate-3",
        "face_stream_name": "sightline-faces-gate-3",
        "face_stream_arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/sightline-faces-gate-3",
        "processor_name": "sightline-gate-3",
        "retention_hours": 48,
        "face_match_threshold": 80.0,
        "tags": {"sightline:device": "gate-3", "sightline:stack": "sightline"},
        "remove_face_stream": False,
        "remove_video_stream": False,
    }


@pytest.mark.parametrize(("action", "goes"), [(Action.STOP, False), (Action.DELETE, True)])
def test_only_a_deletion_removes_the_streams(action: Action, goes: bool) -> None:
    planned = plan(LifecycleRequest("gate-3", action, 5), a_device(generation=5), PLACE)

    assert (planned["action"], planned["remove_face_stream"], planned["remove_video_stream"]) == (
        action,
        goes,
        goes,
    )


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("generation", [4, 6])
def test_a_request_that_a_later_one_replaced_does_nothing(action: Action, generation: int) -> None:
    planned = plan(LifecycleRequest("gate-3", action, generation), a_device(generation=5), PLACE)

    assert planned["action"] == "none"


@pytest.mark.parametrize(("action", "planned"), [("start", "none"), ("stop", "none"), ("delete", "delete")])
def test_of_a_device_that_is_gone_only_leftovers_are_removed(action: str, planned: str) -> None:
    assert plan(LifecycleRequest("gate-3", Action(action), 5), None, PLACE)["action"] == planned
