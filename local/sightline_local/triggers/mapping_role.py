"""What a mapping does in its function's name: every permission is that of the function's role."""

from dataclasses import dataclass
from typing import Any

from sightline_local.cloud.clients import Clients
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import InvokeResult
from sightline_local.iam import Authorizer, Sessions
from sightline_local.iam.lending import LentRole
from sightline_local.triggers.mapping import MappingSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of the runtime that a mapping works with."""

    functions: Functions
    sessions: Sessions
    authorizer: Authorizer
    clients: Clients


class MappingRole:
    """The role of the function that a mapping feeds; FunctionNotFound or TrustDenied when there is none."""

    def __init__(self, settings: MappingSettings, around: Surroundings) -> None:
        self._function_arn = settings.function_arn
        self._around = around
        role_arn = around.functions.spec(settings.function_arn).role_arn
        self._role = LentRole(around.sessions, role_arn, settings.uuid, service="lambda.amazonaws.com")
        self._role.credentials()

    @property
    def arn(self) -> str:
        return self._role.role_arn

    def authorize(self, action: str, resource: str) -> None:
        """Raise AccessDenied when the role may not do this."""
        keys = self._role.credentials()
        caller = self._around.sessions.caller_of(keys.access_key, keys.session_token)
        self._around.authorizer.authorize(caller, action, resource)

    def client(self, service: str) -> Any:
        """A boto3 client with the role's keys."""
        return self._around.clients.client(service, self._role.credentials())

    def call_function(self, event: bytes) -> InvokeResult:
        return self._around.functions.invoke(self._function_arn, event)

    def function_timeout(self) -> float:
        return self._around.functions.spec(self._function_arn).timeout_seconds
