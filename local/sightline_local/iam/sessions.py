"""Sessions of roles: keys that are lent when a trust policy allows it."""

import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sightline_local.iam.callers import ADMIN_ACCESS_KEY, ADMIN_CREDENTIALS, Caller, Credentials
from sightline_local.iam.policy import Decision, Request, evaluate
from sightline_local.iam.roles import find_role, trust_policy_of

_KEY_ALPHABET = string.ascii_uppercase + string.digits


class TrustDenied(Exception):  # noqa: N818  parallel to AccessDenied
    """The role's trust policy does not let this principal assume it."""


class UnknownKey(Exception):  # noqa: N818  parallel to AccessDenied
    """No session has this access key, or its session token is another one."""


class ExpiredToken(UnknownKey):
    """The session is over."""


@dataclass(frozen=True, slots=True)
class _Session:
    caller: Caller
    credentials: Credentials


class Sessions:
    """Every session of this runtime, by access key."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self._sessions: dict[str, _Session] = {}
        self._lock = Lock()
        self._admin = Caller(
            ADMIN_ACCESS_KEY, f"arn:aws:iam::{account}:user/local", None, account, is_admin=True
        )

    def assume(
        self,
        role_arn: str,
        session_name: str,
        *,
        service_principal: str | None = None,
        source_arn: str | None = None,
        caller: Caller | None = None,
        external_id: str | None = None,
        policy: dict[str, Any] | None = None,
        duration: timedelta = timedelta(hours=12),
    ) -> Credentials:
        """Lend the role to a service (e.g. "lambda.amazonaws.com") or a caller; TrustDenied if it refuses.

        With neither a service nor a caller, the administrator of this machine asks, and gets it.
        """
        principal = self._principal(service_principal, caller)
        context = {
            "sts:rolesessionname": session_name,
            **({"sts:externalid": external_id} if external_id else {}),
            **({"aws:principalarn": caller.role_arn} if caller and caller.role_arn else {}),
            **({"aws:sourceaccount": self.account} if service_principal else {}),
            **({"aws:sourcearn": source_arn} if source_arn else {}),
        }
        self._check_trust(role_arn, principal, context)
        return self._begin(role_arn, session_name, policy, duration)

    def caller_of(self, access_key: str, session_token: str | None) -> Caller:
        """Whose keys these are; raise UnknownKey if nobody's, ExpiredToken if not any more."""
        if access_key == ADMIN_ACCESS_KEY:
            return self._admin
        session = self._sessions.get(access_key)
        if session is None or session.credentials.session_token != session_token:
            raise UnknownKey("The security token included in the request is invalid.")
        if session.credentials.expiration and session.credentials.expiration < datetime.now(UTC):
            raise ExpiredToken("The security token included in the request is expired")
        return session.caller

    def credentials_of(self, access_key: str) -> Credentials:
        """The keys that `caller_of` knows by this access key, for what is done in the caller's name."""
        if access_key == ADMIN_ACCESS_KEY:
            return ADMIN_CREDENTIALS
        session = self._sessions.get(access_key)
        if session is None:
            raise UnknownKey("The security token included in the request is invalid.")
        return session.credentials

    def _principal(self, service: str | None, caller: Caller | None) -> dict[str, tuple[str, ...]] | None:
        if service is not None:
            return {"Service": (service,)}
        if caller is None or caller.is_admin:
            return None
        account = caller.account
        # A role is named by its own ARN, its session's, or its account (which delegates to IAM).
        names = (caller.role_arn or "", caller.arn, account, f"arn:aws:iam::{account}:root")
        return {"AWS": names}

    def _check_trust(
        self, role_arn: str, principal: dict[str, tuple[str, ...]] | None, context: dict[str, str]
    ) -> None:
        statements = trust_policy_of(role_arn)
        if statements is None:
            raise TrustDenied(
                f"Not authorized to perform sts:AssumeRole on {role_arn}: there is no such role"
            )
        if principal is None:
            return
        request = Request("sts:AssumeRole", role_arn, context, principal)
        if evaluate([statements], request) is not Decision.ALLOW:
            who = ", ".join(f"{kind} {names[0]}" for kind, names in principal.items())
            raise TrustDenied(f"The trust policy of {role_arn} does not let {who} perform sts:AssumeRole")

    def _begin(
        self, role_arn: str, session_name: str, policy: dict[str, Any] | None, duration: timedelta
    ) -> Credentials:
        role_name = role_arn.rsplit("/", 1)[-1]
        credentials = Credentials(
            access_key="ASIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            session_token=secrets.token_urlsafe(120),
            expiration=(datetime.now(UTC) + duration).replace(microsecond=0),
            role_arn=role_arn,
        )
        arn = f"arn:aws:sts::{self.account}:assumed-role/{role_name}/{session_name}"
        caller = Caller(credentials.access_key, arn, role_arn, self.account, session_policy=policy)
        with self._lock:
            self._forget_expired()
            self._sessions[credentials.access_key] = _Session(caller, credentials)
        return credentials

    def _forget_expired(self) -> None:
        # A day of grace, so that a late caller hears "expired" and not "unknown".
        long_ago = datetime.now(UTC) - timedelta(days=1)
        for key, session in list(self._sessions.items()):
            if session.credentials.expiration and session.credentials.expiration < long_ago:
                del self._sessions[key]

    def role_id(self, role_arn: str) -> str:
        """The unique id of a role (`AROA…`)."""
        role = find_role(role_arn)
        return "AROA" if role is None else str(role.id)
