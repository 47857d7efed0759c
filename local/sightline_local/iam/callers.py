"""Who makes a request, with what keys."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ADMIN_ACCESS_KEY = "local"
ADMIN_SECRET_KEY = "local"  # noqa: S105  the documented key of the person at this machine, no secret


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys of a session, as STS hands them out."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    expiration: datetime | None = None
    role_arn: str | None = None

    def for_boto3(self) -> dict[str, str | None]:
        """Keyword arguments of `boto3.Session` and `boto3.client`."""
        return {
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "aws_session_token": self.session_token,
        }


ADMIN_CREDENTIALS = Credentials(ADMIN_ACCESS_KEY, ADMIN_SECRET_KEY, None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who an access key belongs to. `arn` is what AWS prints in a denial, e.g. the assumed-role ARN."""

    access_key: str
    arn: str
    role_arn: str | None
    account: str
    is_admin: bool = False
    session_policy: dict[str, Any] | None = None
