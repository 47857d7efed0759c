"""Functions: what is deployed, and the sandboxes that run it."""

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Lock

from sightline_local.clock import Clock, Timetable
from sightline_local.functions.asynchronous import AsyncInvocations
from sightline_local.functions.environment import environment_of
from sightline_local.functions.logs import FunctionLog
from sightline_local.functions.permissions import Permissions
from sightline_local.functions.process import Sandbox
from sightline_local.functions.spec import (
    FunctionNotFound,
    FunctionSpec,
    InvokeResult,
    TooManyInvocations,
)
from sightline_local.functions.warm_parent import WarmParent
from sightline_local.iam import Credentials, Sessions
from sightline_local.iam.lending import LentRole

_CONCURRENCY = 8  # sandboxes per function: enough for one machine, AWS's default is 1,000 for the account
_PATIENCE_SECONDS = 60


@dataclass(slots=True)
class _Pool:
    """The sandboxes of one function."""

    spec: FunctionSpec
    role: LentRole
    log: FunctionLog
    idle: list[Sandbox] = field(default_factory=list)
    busy: set[Sandbox] = field(default_factory=set)
    starting: int = 0
    credentials: Credentials | None = None  # what the idle sandboxes hold
    changed: Condition = field(default_factory=Condition)

    def size(self) -> int:
        return len(self.idle) + len(self.busy) + self.starting


class Functions:
    """Invokes by name or ARN; each function runs with keys of its own role."""

    def __init__(
        self,
        aws_url: str,
        region: str,
        sessions: Sessions,
        log_dir: Path,
        *,
        warm_parent: WarmParent | None = None,  # one that the caller shares, and closes
        timetable: Timetable | None = None,  # the runtime's, for what is tried again later
    ) -> None:
        self.region = region
        self.permissions = Permissions()
        self._aws_url = aws_url
        self._sessions = sessions
        self._log_dir = log_dir
        self._pools: dict[str, _Pool] = {}
        self._lock = Lock()
        self._closed = False
        self._parent = warm_parent or WarmParent()
        self._owns_parent = warm_parent is None
        self.asynchronous = AsyncInvocations(self._invoke_as, timetable or Timetable(Clock()))

    def register(self, spec: FunctionSpec) -> None:
        """Deploy or replace a function; TrustDenied when its role does not trust Lambda."""
        role = LentRole(
            self._sessions, spec.role_arn, spec.name, service="lambda.amazonaws.com", source_arn=spec.arn
        )
        role.credentials()
        with self._lock:
            former = self._pools.get(spec.name)
            self._pools[spec.name] = _Pool(spec, role, FunctionLog(self._log_dir / f"{spec.name}.log"))
        if former:
            self._end_pool(former)

    def remove(self, name_or_arn: str) -> None:
        """Take a function out of service."""
        with self._lock:
            pool = self._pools.pop(name_of(name_or_arn), None)
        if pool:
            self._end_pool(pool)

    def specs(self) -> list[FunctionSpec]:
        """Every deployed function, by name."""
        return [self._pools[name].spec for name in sorted(self._pools)]

    def spec(self, name_or_arn: str) -> FunctionSpec:
        """Raise FunctionNotFound when there is none."""
        return self._pool(name_or_arn).spec

    def log_path(self, name_or_arn: str) -> Path:
        return self._log_dir / f"{self.spec(name_or_arn).name}.log"

    def invoke(
        self,
        name_or_arn: str,
        payload: bytes,
        *,
        service: str | None = None,
        source_arn: str | None = None,
        request_id: str | None = None,
    ) -> InvokeResult:
        """Run the function and wait for its end.

        With `service` (e.g. "apigateway.amazonaws.com") the function's permissions must let it:
        InvocationRefused otherwise.
        """
        pool = self._pool(name_or_arn)
        if service is not None:
            self.permissions.check(pool.spec.arn, service, source_arn)
        sandbox = self._take(pool)
        try:
            return sandbox.invoke(payload, request_id or str(uuid.uuid4()))
        finally:
            self._give_back(pool, sandbox)

    def invoke_later(
        self, name_or_arn: str, payload: bytes, *, service: str | None = None, source_arn: str | None = None
    ) -> str:
        """Queue an event for the function and return its request id; `service` as for `invoke`."""
        spec = self.spec(name_or_arn)
        if service is not None:
            self.permissions.check(spec.arn, service, source_arn)
        return self.asynchronous.submit(spec.name, payload)

    def credentials_of(self, name_or_arn: str) -> Credentials:
        """Keys of the function's role, for what Lambda does in its name."""
        return self._pool(name_or_arn).role.credentials()

    def configure_async(self, name_or_arn: str, **settings: object) -> None:
        """Set fields of AsyncSettings for a function."""
        self.asynchronous.configure(self.spec(name_or_arn).name, **settings)

    def close(self) -> None:
        """End every process; invocations under way end with an error."""
        self._closed = True
        self.asynchronous.close()
        for pool in list(self._pools.values()):
            self._end_pool(pool)
        if self._owns_parent:
            self._parent.close()

    def _invoke_as(self, name: str, payload: bytes, request_id: str) -> InvokeResult:
        return self.invoke(name, payload, request_id=request_id)

    def _pool(self, name_or_arn: str) -> _Pool:
        pool = self._pools.get(name_of(name_or_arn))
        if pool is None:
            raise FunctionNotFound(name_of(name_or_arn))
        return pool

    def _take(self, pool: _Pool) -> Sandbox:
        with pool.changed:
            free = pool.changed.wait_for(
                lambda: pool.idle or pool.size() < _CONCURRENCY, timeout=_PATIENCE_SECONDS
            )
            if not free:
                raise TooManyInvocations(f"{pool.spec.name} is busy in all its {_CONCURRENCY} sandboxes")
            credentials = self._credentials(pool)
            while pool.idle:
                sandbox = pool.idle.pop()
                if sandbox.is_alive():
                    pool.busy.add(sandbox)
                    return sandbox
                sandbox.close()
            pool.starting += 1
        return self._start(pool, credentials)

    def _start(self, pool: _Pool, credentials: Credentials) -> Sandbox:
        sandbox = None
        try:
            environment = environment_of(pool.spec, credentials, self._aws_url, self.region)
            sandbox = Sandbox(pool.spec, environment, self._parent, pool.log)
        finally:
            with pool.changed:
                pool.starting -= 1
                if sandbox:
                    pool.busy.add(sandbox)
                pool.changed.notify()
        return sandbox

    def _give_back(self, pool: _Pool, sandbox: Sandbox) -> None:
        with pool.changed:
            pool.busy.discard(sandbox)
            if sandbox.is_usable and not self._closed and self._pools.get(pool.spec.name) is pool:
                pool.idle.append(sandbox)
            else:
                sandbox.close()
            pool.changed.notify()

    def _credentials(self, pool: _Pool) -> Credentials:
        """Keys of the role; sandboxes that still hold older ones end. Call with the pool's lock."""
        current = pool.role.credentials()
        if pool.credentials is not current:
            for sandbox in pool.idle:
                sandbox.close()
            pool.idle.clear()
            pool.credentials = current
        return current

    def _end_pool(self, pool: _Pool) -> None:
        with pool.changed:
            for sandbox in pool.busy:
                sandbox.kill()
            for sandbox in pool.idle:
                sandbox.close()
            pool.idle.clear()
        pool.log.close()


def name_of(name_or_arn: str) -> str:
    """The bare name in a name, a partial ARN or an ARN, with or without a qualifier."""
    return (name_or_arn.partition(":function:")[2] or name_or_arn).split(":")[0]
