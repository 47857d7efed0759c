"""Functions: what is deployed, and the sandboxes that run it."""

import logging
import uuid
from pathlib import Path
from threading import Lock

from sightline_local.clock import Clock, Timetable
from sightline_local.functions.asynchronous import AsyncInvocations
from sightline_local.functions.environment import environment_of
from sightline_local.functions.logs import FunctionLog
from sightline_local.functions.output import Output
from sightline_local.functions.overseer import Overseer
from sightline_local.functions.permissions import Permissions
from sightline_local.functions.pool import Pool
from sightline_local.functions.process import Sandbox
from sightline_local.functions.spec import (
    FunctionNotFound,
    FunctionSpec,
    InvokeResult,
)
from sightline_local.functions.warm_parent import WarmParent
from sightline_local.iam import AccessDenied, Authorizer, Credentials, Sessions
from sightline_local.iam.lending import LentRole
from sightline_local.state import Facts

_logger = logging.getLogger(__name__)


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
        facts: Facts | None = None,  # where accepted events are kept
        authorizer: Authorizer | None = None,  # who says whether a role may write logs; None: all may
    ) -> None:
        self.region = region
        self.permissions = Permissions(facts)
        self._aws_url = aws_url
        self._sessions = sessions
        self._log_dir = log_dir
        self._authorizer = authorizer
        self._pools: dict[str, Pool] = {}
        self._lock = Lock()
        self._overseer = Overseer(self._freeze_idle)
        self._parent = warm_parent or WarmParent()
        self._owns_parent = warm_parent is None
        self.asynchronous = AsyncInvocations(
            self._invoke_as, timetable or Timetable(Clock()), facts, lambda name: name in self._pools
        )

    def arn_of(self, name: str) -> str:
        """What a function of this name is called, deployed or not."""
        return f"arn:aws:lambda:{self.region}:{self._sessions.account}:function:{name}"

    def register(self, spec: FunctionSpec) -> None:
        """Deploy or replace a function; TrustDenied when its role does not trust Lambda."""
        role = LentRole(
            self._sessions, spec.role_arn, spec.name, service="lambda.amazonaws.com", source_arn=spec.arn
        )
        role.credentials()
        with self._lock:
            former = self._pools.get(spec.name)
            log = FunctionLog(self._log_dir / f"{spec.name}.log")
            self._pools[spec.name] = Pool(spec, role, log, self._start)
        if former:
            former.end()

    def remove(self, name_or_arn: str) -> None:
        """Take a function out of service."""
        with self._lock:
            pool = self._pools.pop(name_of(name_or_arn), None)
        if pool:
            pool.end()

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
        sandbox = pool.take()
        self._overseer.watch(sandbox)
        try:
            return sandbox.invoke(payload, request_id or str(uuid.uuid4()))
        finally:
            self._overseer.leave(sandbox)
            pool.give_back(sandbox)

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
        self.asynchronous.close()
        for pool in list(self._pools.values()):
            pool.end()
        self._overseer.close()
        if self._owns_parent:
            self._parent.close()

    def _invoke_as(self, name: str, payload: bytes, request_id: str) -> InvokeResult:
        return self.invoke(name, payload, request_id=request_id)

    def _pool(self, name_or_arn: str) -> Pool:
        pool = self._pools.get(name_of(name_or_arn))
        if pool is None:
            raise FunctionNotFound(name_of(name_or_arn))
        return pool

    def _freeze_idle(self) -> None:
        for pool in list(self._pools.values()):
            pool.freeze_idle()

    def _start(self, pool: Pool, credentials: Credentials, stream: str) -> Sandbox:
        environment = environment_of(pool.spec, credentials, self._aws_url, self.region, stream)
        kept = self._may_log(pool.spec.name, credentials, stream)
        return Sandbox(pool.spec, environment, self._parent, Output(pool.log if kept else None, stream))

    def _may_log(self, name: str, credentials: Credentials, stream: str) -> bool:
        """As on AWS: without these permissions of its role, what a function prints is not kept."""
        if self._authorizer is None:
            return True
        caller = self._sessions.caller_of(credentials.access_key, credentials.session_token)
        place = {"logGroupName": f"/aws/lambda/{name}", "logStreamName": stream}
        try:
            for operation in ("CreateLogStream", "PutLogEvents"):
                self._authorizer.authorize_call(caller, "logs", operation, place)
        except AccessDenied as error:
            _logger.warning("%s: what it prints is not kept: %s", name, error)
            return False
        return True


def name_of(name_or_arn: str) -> str:
    """The bare name in a name, a partial ARN or an ARN, with or without a qualifier."""
    return (name_or_arn.partition(":function:")[2] or name_or_arn).split(":")[0]
