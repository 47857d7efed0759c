from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest

from sightline.devices.model import Action, Desired, Device, Location, Progress, State
from sightline.devices.request import ChangeRequest, RegisterRequest
from sightline.devices.service import Devices, Outcome
from sightline.errors import ConflictError, NotFoundError, UnavailableError
from tests.builders import FACE_STREAM_ARN, VIDEO_STREAM_ARN, a_device, a_stopped_device
from tests.fakes.devices import FakeCameraRole, FakeClock, FakeDeviceStore, FakeLifecycle

ACTIONS = [Action.START, Action.STOP, Action.DELETE]


@dataclass
class World:
    store: FakeDeviceStore = field(default_factory=FakeDeviceStore)
    lifecycle: FakeLifecycle = field(default_factory=FakeLifecycle)
    camera_role: FakeCameraRole = field(default_factory=FakeCameraRole)
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def devices(self) -> Devices:
        return Devices(
            self.store,
            self.lifecycle,
            self.camera_role,
            "stream-processor",
            self.clock,
            lambda: "device-made-up",
        )

    def has(self, device: Device, progress: Progress = Progress.OVER) -> Device:
        """A device whose last request was carried out so far."""
        self.store.add(device)
        if progress is not Progress.NOT_FOUND:
            self.lifecycle.executions[self.lifecycle.name(device)] = progress
        return device

    def ask(self, action: Action, device_id: str = "gate-3") -> Outcome:
        asks: dict[Action, Callable[[str], Outcome]] = {
            Action.START: self.devices.start,
            Action.STOP: self.devices.stop,
            Action.DELETE: self.devices.remove,
        }
        return asks[action](device_id)

    def mark(self, device_id: str, **changes: object) -> None:
        """What the lifecycle machine writes."""
        self.store.devices[device_id] = replace(self.store.devices[device_id], **changes)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


# ------------------------------------------------------------------ register


def test_a_new_device_is_provisioning_and_its_execution_begins(world: World) -> None:
    outcome = world.devices.register(RegisterRequest(device_id="gate-3", name="Gate 3"))

    device = outcome.device
    assert outcome.accepted
    assert (device.state, device.desired, device.action) == (
        State.PROVISIONING,
        Desired.RUNNING,
        Action.START,
    )
    assert world.store.find("gate-3") == device
    assert list(world.lifecycle.executions) == [f"gate-3-{device.generation}"]


def test_a_device_without_a_name_is_called_by_its_id(world: World) -> None:
    assert world.devices.register(RegisterRequest()).device.name == "device-made-up"


def test_registering_again_finds_the_same_device_and_changes_nothing(world: World) -> None:
    first = world.devices.register(RegisterRequest(device_id="gate-3", name="Gate 3"))
    world.clock.move(seconds=30)

    again = world.devices.register(
        RegisterRequest(device_id="gate-3", name="Another name", retention_hours=1)
    )

    assert again == Outcome(first.device, accepted=False)
    assert world.store.devices == {"gate-3": first.device}
    assert len(world.lifecycle.executions) == 1


def test_a_registration_that_died_before_its_execution_is_healed_by_repeating_it(world: World) -> None:
    world.lifecycle.is_down = True
    with pytest.raises(UnavailableError):
        world.devices.register(RegisterRequest(device_id="gate-3"))
    world.lifecycle.is_down = False

    again = world.devices.register(RegisterRequest(device_id="gate-3"))

    assert not again.accepted
    assert list(world.lifecycle.executions) == [f"gate-3-{again.device.generation}"]


def test_the_same_idempotency_key_finds_the_same_device(world: World) -> None:
    first = world.devices.register(RegisterRequest(name="Gate"), "order-17")
    again = world.devices.register(RegisterRequest(name="Gate"), "order-17")
    other = world.devices.register(RegisterRequest(name="Gate"), "order-18")

    assert again.device == first.device
    assert other.device.device_id != first.device.device_id
    assert len(world.store.devices) == 2


def test_a_chosen_id_goes_before_the_idempotency_key(world: World) -> None:
    assert (
        world.devices.register(RegisterRequest(device_id="gate-3"), "order-17").device.device_id == "gate-3"
    )


def test_an_id_that_is_being_deleted_cannot_be_registered_yet(world: World) -> None:
    world.has(a_device(state=State.DELETING, action=Action.DELETE), Progress.UNDER_WAY)

    with pytest.raises(ConflictError):
        world.devices.register(RegisterRequest(device_id="gate-3"))


def test_an_id_that_is_used_again_gets_executions_with_new_names(world: World) -> None:
    first = world.devices.register(RegisterRequest(device_id="gate-3")).device
    world.lifecycle.finish(first)
    world.mark("gate-3", state=State.RUNNING)
    deletion = world.ask(Action.DELETE).device
    world.lifecycle.finish(deletion)
    del world.store.devices["gate-3"]
    world.clock.move(seconds=1)

    second = world.devices.register(RegisterRequest(device_id="gate-3")).device

    assert len({first.generation, deletion.generation, second.generation}) == 3
    assert world.lifecycle.progress(second) is Progress.UNDER_WAY


# ------------------------------------------------------------------ start, stop, remove


@pytest.mark.parametrize(
    ("device", "action"),
    [
        (a_device(), Action.STOP),
        (a_device(), Action.DELETE),
        (a_stopped_device(), Action.START),
        (a_stopped_device(), Action.DELETE),
        *[(a_device(state=State.FAILED, state_reason="why"), action) for action in ACTIONS],
    ],
)
def test_a_request_to_an_idle_device_begins_an_execution_of_its_own(
    world: World, device: Device, action: Action
) -> None:
    world.has(device)

    outcome = world.ask(action)

    assert outcome.accepted
    assert (outcome.device.action, outcome.device.generation) == (action, device.generation + 1)
    assert world.lifecycle.progress(outcome.device) is Progress.UNDER_WAY
    assert world.store.find("gate-3") == outcome.device


@pytest.mark.parametrize(
    ("device", "action"), [(a_device(), Action.START), (a_stopped_device(), Action.STOP)]
)
def test_what_is_so_already_stays_unchanged(world: World, device: Device, action: Action) -> None:
    world.has(device)

    assert world.ask(action) == Outcome(device, accepted=False)
    assert len(world.lifecycle.executions) == 1


@pytest.mark.parametrize(
    "busy",
    [
        a_device(state=State.PROVISIONING),
        a_device(state=State.STARTING),
        a_device(state=State.RUNNING, desired=Desired.STOPPED, action=Action.STOP),
        a_device(state=State.FAILED, desired=Desired.STOPPED, action=Action.STOP),
    ],
    ids=["provisioning", "starting", "stopping", "stopping after a failure"],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_while_an_execution_is_under_way_every_other_request_waits(
    world: World, busy: Device, action: Action
) -> None:
    world.has(busy, Progress.UNDER_WAY)

    with pytest.raises(ConflictError) as caught:
        world.ask(action)

    assert caught.value.retry_after_seconds
    assert world.store.find("gate-3") == busy


@pytest.mark.parametrize(
    "stuck",
    [
        a_device(state=State.PROVISIONING),
        a_device(state=State.STARTING),
        a_device(state=State.RUNNING, desired=Desired.STOPPED, action=Action.STOP),
        a_device(state=State.DELETING, action=Action.DELETE),
    ],
    ids=["provisioning", "starting", "stopping", "deleting"],
)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("progress", [Progress.OVER, Progress.NOT_FOUND])
def test_nobody_is_stuck_for_ever(world: World, stuck: Device, action: Action, progress: Progress) -> None:
    world.has(stuck, progress)

    outcome = world.ask(action)

    assert outcome.accepted
    assert outcome.device.action is action
    assert world.lifecycle.progress(outcome.device) is Progress.UNDER_WAY


def test_a_repeated_deletion_is_the_same_execution(world: World) -> None:
    world.has(a_device())
    first = world.ask(Action.DELETE)

    again = world.ask(Action.DELETE)

    assert again == first
    assert len(world.lifecycle.executions) == 2  # the start, and one deletion


@pytest.mark.parametrize("action", [Action.START, Action.STOP])
def test_a_device_that_is_being_deleted_takes_no_other_request(world: World, action: Action) -> None:
    world.has(a_device(state=State.DELETING, action=Action.DELETE), Progress.UNDER_WAY)

    with pytest.raises(ConflictError):
        world.ask(action)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_request_that_died_before_its_execution_is_healed_by_repeating_it(
    world: World, action: Action
) -> None:
    world.has(a_stopped_device() if action is Action.START else a_device())
    world.lifecycle.is_down = True
    with pytest.raises(UnavailableError):
        world.ask(action)
    written = world.store.devices["gate-3"]
    world.lifecycle.is_down = False

    outcome = world.ask(action)

    assert outcome == Outcome(written, accepted=True)
    assert world.lifecycle.progress(written) is Progress.UNDER_WAY


def test_a_request_does_not_overtake_one_whose_execution_is_about_to_begin(world: World) -> None:
    world.has(a_stopped_device())
    world.lifecycle.is_down = True
    with pytest.raises(UnavailableError):
        world.ask(Action.START)
    world.lifecycle.is_down = False

    with pytest.raises(ConflictError):
        world.ask(Action.STOP)
    world.clock.move(seconds=5)

    assert world.ask(Action.STOP).accepted


def test_of_two_requests_at_once_one_wins(world: World) -> None:
    seen = world.has(a_device())

    class SlowStore(FakeDeviceStore):
        def find(self, device_id: str) -> Device | None:
            return seen

    slow = replace(world.devices, store=SlowStore(world.store.devices))
    world.ask(Action.STOP)

    with pytest.raises(ConflictError):
        slow.remove("gate-3")

    assert world.store.devices["gate-3"].action is Action.STOP
    assert len(world.lifecycle.executions) == 2


@pytest.mark.parametrize("device_id", ["unknown", "Not An Id", ""])
def test_an_unknown_device_is_not_found(world: World, device_id: str) -> None:
    for ask in (world.devices.read, world.devices.start, world.devices.stop, world.devices.remove):
        with pytest.raises(NotFoundError):
            ask(device_id)
    with pytest.raises(NotFoundError):
        world.devices.lend_credentials(device_id)


# ------------------------------------------------------------------ change, credentials


def test_a_change_sets_what_it_names_and_leaves_the_rest(world: World) -> None:
    device = world.has(a_device())

    changed = world.devices.change(
        "gate-3", ChangeRequest.model_validate({"name": "North gate", "location": {"latitude": 1.0}})
    )

    expected = replace(device, name="North gate", location=Location(1.0, 9.98), updated_at=world.clock.now)
    assert changed == expected
    assert world.store.find("gate-3") == expected


def test_null_removes_the_place_and_the_site(world: World) -> None:
    world.has(a_device())

    changed = world.devices.change("gate-3", ChangeRequest.model_validate({"site": None, "location": None}))

    assert (changed.site, changed.location) == (None, None)


def test_a_change_that_changes_nothing_is_not_written(world: World) -> None:
    device = world.has(a_device())

    assert world.devices.change("gate-3", ChangeRequest.model_validate({"name": "Gate 3"})) == device
    assert world.store.find("gate-3") == device


def test_a_change_never_takes_back_what_the_machine_wrote_meanwhile(world: World) -> None:
    seen = world.has(a_device(state=State.STARTING, video_stream_arn=None, face_stream_arn=None))
    world.mark(
        "gate-3", state=State.RUNNING, video_stream_arn=VIDEO_STREAM_ARN, face_stream_arn=FACE_STREAM_ARN
    )

    class StaleStore(FakeDeviceStore):
        def find(self, device_id: str) -> Device | None:
            return seen

    stale = replace(world.devices, store=StaleStore(world.store.devices))
    stale.change("gate-3", ChangeRequest.model_validate({"name": "North gate"}))

    stored = world.store.devices["gate-3"]
    assert (stored.name, stored.state, stored.video_stream_arn) == (
        "North gate",
        State.RUNNING,
        VIDEO_STREAM_ARN,
    )


def test_credentials_are_for_the_video_stream_of_the_device(world: World) -> None:
    world.has(a_device())

    lent = world.devices.lend_credentials("gate-3")

    assert lent.video_stream_arn == VIDEO_STREAM_ARN
    assert world.camera_role.lent == [("gate-3", VIDEO_STREAM_ARN)]


def test_a_device_without_a_video_stream_has_no_credentials_yet(world: World) -> None:
    world.has(a_device(video_stream_arn=None, state=State.PROVISIONING), Progress.UNDER_WAY)

    with pytest.raises(ConflictError) as caught:
        world.devices.lend_credentials("gate-3")

    assert caught.value.retry_after_seconds
    assert world.camera_role.lent == []


def test_a_failed_start_is_never_mistaken_for_one_that_was_not_begun(world: World) -> None:
    failed = world.has(a_device(state=State.FAILED), Progress.NOT_FOUND)  # its execution is long forgotten

    outcome = world.ask(Action.START)

    assert (outcome.device.generation, outcome.device.state) == (failed.generation + 1, State.STARTING)


def test_a_deletion_that_has_just_failed_is_not_taken_for_one_under_way(world: World) -> None:
    world.has(a_device(state=State.FAILED, action=Action.DELETE), Progress.UNDER_WAY)

    with pytest.raises(ConflictError):
        world.ask(Action.DELETE)


def test_a_device_that_goes_while_it_is_changed_is_not_found(world: World) -> None:
    seen = a_device()

    class VanishingStore(FakeDeviceStore):
        answers: ClassVar[list[Device | None]] = [seen, None]

        def find(self, device_id: str) -> Device | None:
            return self.answers.pop(0)

    vanishing = replace(world.devices, store=VanishingStore())

    with pytest.raises(NotFoundError):
        vanishing.change("gate-3", ChangeRequest.model_validate({"name": "North gate"}))
