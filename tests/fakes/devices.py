"""In-memory adapters of `sightline.devices`: they keep the promises that tests/contract/devices checks."""

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta

from sightline.devices.model import CameraCredentials, Device, Progress
from sightline.errors import UnavailableError
from sightline.paging import Page, PageRequest


@dataclass
class FakeDeviceStore:
    devices: dict[str, Device] = field(default_factory=dict)

    def add(self, device: Device) -> bool:
        return self.devices.setdefault(device.device_id, device) is device

    def find(self, device_id: str) -> Device | None:
        return self.devices.get(device_id)

    def save(self, device: Device, *, seen: Device) -> bool:
        stored = self.devices.get(device.device_id)
        if stored is None or stored.generation != seen.generation:
            return False
        names = [each.name for each in fields(Device)]
        changed = {
            name: getattr(device, name) for name in names if getattr(device, name) != getattr(seen, name)
        }
        self.devices[device.device_id] = replace(stored, **changed)
        return True

    def page(self, request: PageRequest) -> Page[Device]:
        left = sorted(key for key in self.devices if request.after is None or key > request.after)
        keys = left[: request.limit]
        return Page(tuple(self.devices[key] for key in keys), keys[-1] if len(left) > len(keys) else None)


@dataclass
class FakeLifecycle:
    """Executions by name; `finish` ends one, `is_down` makes StartExecution fail."""

    executions: dict[str, Progress] = field(default_factory=dict)
    is_down: bool = False

    def begin(self, device: Device) -> None:
        if self.is_down:
            raise UnavailableError("Step Functions is busy; try again in a moment.")
        self.executions.setdefault(self.name(device), Progress.UNDER_WAY)

    def progress(self, device: Device) -> Progress:
        return self.executions.get(self.name(device), Progress.NOT_FOUND)

    def finish(self, device: Device) -> None:
        self.executions[self.name(device)] = Progress.OVER

    @staticmethod
    def name(device: Device) -> str:
        return f"{device.device_id}-{device.generation}"


@dataclass
class FakeCameraRole:
    lent: list[tuple[str, str]] = field(default_factory=list)

    def lend(self, device_id: str, video_stream_arn: str) -> CameraCredentials:
        self.lent.append((device_id, video_stream_arn))
        expiration = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
        return CameraCredentials("AKIA", "secret", "token", expiration, video_stream_arn, "us-east-1")


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    now: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)
