"""The sandboxes of one function: idle ones are used again, as long as code and credentials are the same."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Condition

from sightline_local.functions.logs import FunctionLog
from sightline_local.functions.process import Sandbox
from sightline_local.functions.sources import Sources
from sightline_local.functions.spec import FunctionSpec, TooManyInvocations
from sightline_local.iam import Credentials
from sightline_local.iam.lending import LentRole

CONCURRENCY = 8  # sandboxes per function: enough for one machine, AWS's default is 1,000 for the account
_PATIENCE_SECONDS = 60

Holding = tuple[Credentials, int]  # keys of the role, version of the code
# pool, keys, log stream → a sandbox that has begun to start
StartSandbox = Callable[["Pool", Credentials, str], Sandbox]


class Pool:
    """Made for one deployed version of a function."""

    def __init__(self, spec: FunctionSpec, role: LentRole, log: FunctionLog, start: StartSandbox) -> None:
        self.spec = spec
        self.role = role
        self.log = log
        self._start_sandbox = start
        self._sources = Sources([spec.code_dir, *spec.layer_dirs])
        self._idle: list[Sandbox] = []
        self._busy: dict[Sandbox, Holding] = {}
        self._starting = 0
        self._holding: Holding | None = None  # what the idle sandboxes hold
        self._ended = False
        self._changed = Condition()

    def take(self) -> Sandbox:
        """An idle sandbox, or a new one; TooManyInvocations when all stayed busy."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, timeout=_PATIENCE_SECONDS):
                raise TooManyInvocations(f"{self.spec.name} is busy in all its {CONCURRENCY} sandboxes")
            holding = self._renew()
            while self._idle:
                sandbox = self._idle.pop()
                if sandbox.is_usable and sandbox.is_alive():
                    sandbox.thaw()
                    self._busy[sandbox] = holding
                    return sandbox
                sandbox.close()
            self._starting += 1
        return self._start(holding)

    def give_back(self, sandbox: Sandbox) -> None:
        with self._changed:
            held = self._busy.pop(sandbox)
            if sandbox.is_usable and held is self._holding and not self._ended:
                self._idle.append(sandbox)
            else:
                sandbox.close()
            self._changed.notify()

    def freeze_idle(self) -> None:
        with self._changed:  # none of them begins meanwhile
            for sandbox in self._idle:
                sandbox.freeze()

    def end(self) -> None:
        """End every sandbox; invocations under way end with an error."""
        with self._changed:
            self._ended = True
            for sandbox in self._busy:
                sandbox.kill()
            for sandbox in self._idle:
                sandbox.close()
            self._idle.clear()
        self.log.close()

    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._busy) + self._starting < CONCURRENCY

    def _renew(self) -> Holding:
        """Keys and code of now; sandboxes with older ones end. Call with the lock."""
        credentials, version = self.role.credentials(), self._sources.version()
        if self._holding is None or self._holding[0] is not credentials or self._holding[1] != version:
            for sandbox in self._idle:
                sandbox.close()
            self._idle.clear()
            self._holding = credentials, version
        return self._holding

    def _start(self, holding: Holding) -> Sandbox:
        sandbox = None
        try:
            stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
            sandbox = self._start_sandbox(self, holding[0], stream)
        finally:
            with self._changed:
                self._starting -= 1
                if sandbox:
                    self._busy[sandbox] = holding
                self._changed.notify()
        return sandbox
