"""In-memory adapters of `sightline.crowding`; tests/contract/crowding checks the promises they keep.

They share one list of calls, so that a test ends the process before or after any of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sightline.crowding.model import CrowdLog, WatchedDevice
from sightline.errors import UnavailableError
from tests.fakes.alerts import Calls


@dataclass
class FakeCrowds:
    calls: Calls = field(default_factory=Calls)
    devices: dict[str, WatchedDevice] = field(default_factory=dict)
    logs: dict[str, CrowdLog] = field(default_factory=dict)
    is_down: bool = False

    def look_up(
        self, device_ids: Iterable[str]
    ) -> tuple[Mapping[str, WatchedDevice], Mapping[str, CrowdLog]]:
        if self.is_down:
            raise UnavailableError("the devices and crowds tables refused: ResourceNotFoundException")
        wanted = set(device_ids)
        devices = {key: value for key, value in self.devices.items() if key in wanted}
        logs = {key: value for key, value in self.logs.items() if key in wanted}
        return self.calls.make("crowds.look_up", lambda: (devices, logs))  # type: ignore[no-any-return]

    def write(self, log: CrowdLog) -> bool:
        return bool(self.calls.make("crowds.write", lambda: self._write(log)))

    def _write(self, log: CrowdLog) -> bool:
        if self.logs.get(log.device_id, CrowdLog(log.device_id)).revision != log.revision:
            return False
        self.logs[log.device_id] = replace(log, revision=log.revision + 1)
        return True
