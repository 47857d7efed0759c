"""Register, read, change, start, stop and remove devices; lend a camera its credentials.

A request to the lifecycle is one conditional write (a new generation), then StartExecution under the name of
that generation. Whatever happens between the two, repeating the request heals it:

    last request                  its execution   the next request
    did what it should            is over         goes through; if it asks for the same, nothing is to be done
    failed, timed out, was ended  is over         goes through: nobody is stuck for ever
    is being carried out          is under way    409, try again later; a repeated DELETE: 202, same execution
    was written, and no more      is not found    same: begins that very execution; other: goes through
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sightline.clock import Clock
from sightline.devices.model import Action, CameraCredentials, Desired, Device, Progress, State
from sightline.devices.request import ChangeRequest, RegisterRequest, device_id_of_key
from sightline.errors import ConflictError, NotFoundError
from sightline.paging import Page, PageRequest
from sightline.request_body import is_id

RETRY_AFTER_SECONDS = 2


class DeviceStore(Protocol):
    def add(self, device: Device) -> bool:
        """Keep a new device; False, and nothing written, if its id is taken."""

    def find(self, device_id: str) -> Device | None:
        """The device as last written."""

    def save(self, device: Device, *, seen: Device) -> bool:
        """Write only what differs from `seen`; False, and nothing written, if a request came in between."""

    def page(self, request: PageRequest) -> Page[Device]:
        """Some devices, in no particular order."""


class Lifecycle(Protocol):
    def begin(self, device: Device) -> None:
        """Carry out the device's last request; harmless when that is already happening or done."""

    def progress(self, device: Device) -> Progress:
        """How far the device's last request is."""


class CameraRole(Protocol):
    def lend(self, device_id: str, video_stream_arn: str) -> CameraCredentials:
        """Credentials for one hour that reach this video stream alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The device, and whether the request set something in motion (else it was so already)."""

    device: Device
    accepted: bool


@dataclass(frozen=True, slots=True)
class Devices:
    store: DeviceStore
    lifecycle: Lifecycle
    camera_role: CameraRole
    default_engine: str
    clock: Clock
    new_id: Callable[[], str]

    def register(self, request: RegisterRequest, idempotency_key: str | None = None) -> Outcome:
        """A new device that starts at once, or the one that has this id already, unchanged."""
        device = self._new(request, self._id_of(request, idempotency_key))
        if self.store.add(device):
            self.lifecycle.begin(device)
            return Outcome(device, accepted=True)
        known = self.read(device.device_id)
        if known.state is State.DELETING:
            raise _busy("A device with this id is being deleted; register it again when it is gone.")
        if known.state is State.PROVISIONING:
            # The first request may have died before StartExecution; to begin again is harmless if not.
            self.lifecycle.begin(known)
        return Outcome(known, accepted=False)

    def read(self, device_id: str) -> Device:
        device = self.store.find(device_id) if is_id(device_id) else None
        if device is None:
            raise NotFoundError("There is no such device.")
        return device

    def page(self, request: PageRequest) -> Page[Device]:
        return self.store.page(request)

    def change(self, device_id: str, request: ChangeRequest) -> Device:
        """Set what the request names and leave the rest, also what the lifecycle machine writes meanwhile."""
        seen = self.read(device_id)
        changes: dict[str, Any] = {name: getattr(request, name) for name in request.model_fields_set}
        if request.location is not None:
            changes["location"] = request.location.merged_into(seen.location)
        if request.vote is not None:
            changes["vote"] = request.vote.to_vote()
        changed = replace(seen, **changes)
        if changed == seen:
            return seen
        changed = replace(changed, updated_at=self.clock())
        self._save(changed, seen)
        return changed

    def start(self, device_id: str) -> Outcome:
        return self._ask(device_id, Action.START)

    def stop(self, device_id: str) -> Outcome:
        return self._ask(device_id, Action.STOP)

    def remove(self, device_id: str) -> Outcome:
        return self._ask(device_id, Action.DELETE)

    def lend_credentials(self, device_id: str) -> CameraCredentials:
        device = self.read(device_id)
        if device.video_stream_arn is None:
            raise _busy("The device has no video stream yet; it gets one while it is being provisioned.")
        return self.camera_role.lend(device.device_id, device.video_stream_arn)

    def _ask(self, device_id: str, action: Action) -> Outcome:
        seen = self.read(device_id)
        if seen.is_settled:
            return Outcome(seen, accepted=False) if seen.action is action else self._begin(seen, action)
        progress = self.lifecycle.progress(seen)
        if seen.action is action and seen.state is not State.FAILED and self._is_same_again(action, progress):
            self.lifecycle.begin(seen)
            return Outcome(seen, accepted=True)
        not_begun_yet = progress is Progress.NOT_FOUND and seen.was_asked_just_now(self.clock())
        if progress is Progress.UNDER_WAY or not_begun_yet:
            raise _busy(f"The device is busy: its last request ({seen.action}) is still being carried out.")
        return self._begin(seen, action)

    @staticmethod
    def _is_same_again(action: Action, progress: Progress) -> bool:
        return progress is Progress.NOT_FOUND or (progress is Progress.UNDER_WAY and action is Action.DELETE)

    def _begin(self, seen: Device, action: Action) -> Outcome:
        device = seen.asked_to(action, self.clock())
        self._save(device, seen)
        self.lifecycle.begin(device)
        return Outcome(device, accepted=True)

    def _save(self, device: Device, seen: Device) -> None:
        if self.store.save(device, seen=seen):
            return
        self.read(device.device_id)  # gone in the meantime: not found
        raise _busy("Another request to this device came first.")

    def _id_of(self, request: RegisterRequest, idempotency_key: str | None) -> str:
        if request.device_id is not None:
            return request.device_id
        return self.new_id() if idempotency_key is None else device_id_of_key(idempotency_key)

    def _new(self, request: RegisterRequest, device_id: str) -> Device:
        now = self.clock()
        return Device(
            device_id=device_id,
            name=request.name or device_id,
            site=request.site,
            location=None if request.location is None else request.location.to_location(),
            time_zone=request.time_zone,
            engine=request.engine or self.default_engine,
            similarity_threshold=request.similarity_threshold,
            retention_hours=request.retention_hours,
            desired=Desired.RUNNING,
            state=State.PROVISIONING,
            state_reason=None,
            video_stream_arn=None,
            face_stream_arn=None,
            created_at=now,
            updated_at=now,
            action=Action.START,
            generation=int(now.timestamp() * 1000),
            requested_at=now,
            zones=request.zones,
            vote=request.vote.to_vote(),
            visit_gap_seconds=request.visit_gap_seconds,
            cool_down_seconds=request.cool_down_seconds,
            keep_unknown_faces=request.keep_unknown_faces,
            alert_unknown_faces=request.alert_unknown_faces,
            people_limit=request.people_limit,
        )


def _busy(detail: str) -> ConflictError:
    return ConflictError(detail, retry_after_seconds=RETRY_AFTER_SECONDS)
