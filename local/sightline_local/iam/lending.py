"""Keys of one role that are always good for an hour more."""

from datetime import UTC, datetime, timedelta
from threading import Lock

from sightline_local.iam.callers import Credentials
from sightline_local.iam.sessions import Sessions

_RENEW_BEFORE = timedelta(hours=1)


class LentRole:
    """A role that a service keeps using; raises TrustDenied when the role does not trust the service."""

    def __init__(
        self,
        sessions: Sessions,
        role_arn: str,
        session_name: str,
        *,
        service: str,
        source_arn: str | None = None,
    ) -> None:
        self.role_arn = role_arn
        self._sessions = sessions
        self._name = session_name[:64]  # STS's limit
        self._service = service
        self._source_arn = source_arn
        self._credentials: Credentials | None = None
        self._lock = Lock()

    def credentials(self) -> Credentials:
        """The same keys as before, as long as they last."""
        with self._lock:
            current = self._credentials
            if current is None or _ends_soon(current):
                current = self._credentials = self._sessions.assume(
                    self.role_arn, self._name, service_principal=self._service, source_arn=self._source_arn
                )
            return current


def _ends_soon(credentials: Credentials) -> bool:
    return credentials.expiration is not None and credentials.expiration - datetime.now(UTC) < _RENEW_BEFORE
