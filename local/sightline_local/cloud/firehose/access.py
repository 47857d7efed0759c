"""A role as Firehose uses it: assumed for one delivery stream, every call checked."""

from typing import Any

from sightline_local.cloud.clients import Clients
from sightline_local.iam import Authorizer, Credentials, Sessions
from sightline_local.iam.lending import LentRole

PRINCIPAL = "firehose.amazonaws.com"


class RoleAccess:
    """Raises TrustDenied when the role does not trust Firehose for this stream."""

    def __init__(
        self, role_arn: str, stream_arn: str, sessions: Sessions, authorizer: Authorizer, clients: Clients
    ) -> None:
        name = stream_arn.rpartition("/")[2]
        self.role_arn = role_arn
        self._role = LentRole(sessions, role_arn, name, service=PRINCIPAL, source_arn=stream_arn)
        self._sessions = sessions
        self._authorizer = authorizer
        self._clients = clients

    def credentials(self) -> Credentials:
        return self._role.credentials()

    def client(self, service: str) -> Any:
        return self._clients.client(service, self._role.credentials())

    def authorize(self, action: str, resource: str) -> None:
        """For what is done without a request through the gateway; AccessDenied."""
        keys = self._role.credentials()
        caller = self._sessions.caller_of(keys.access_key, keys.session_token)
        self._authorizer.authorize(caller, action, resource)
