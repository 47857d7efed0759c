"""Sessions of roles: keys that are lent when a trust policy allows it."""

import json
import secrets
import string
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Self

from sightline_local.iam.callers import ADMIN_ACCESS_KEY, ADMIN_CREDENTIALS, Caller, Credentials
from sightline_local.iam.policy import Decision, Request, verdict_of
from sightline_local.iam.roles import find_role, trust_of
from sightline_local.iam.usage import Usage
from sightline_local.state import Facts

_KIND = "iam.session"
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

    def encoded(self) -> bytes:
        expiration = self.credentials.expiration
        lent = asdict(self.credentials) | {"expiration": expiration and expiration.isoformat()}
        return json.dumps({"caller": asdict(self.caller), "credentials": lent}).encode()

    @classmethod
    def decoded(cls, value: bytes) -> Self:
        kept = json.loads(value)
        lent = kept["credentials"]
        expiration = lent["expiration"] and datetime.fromisoformat(lent["expiration"])
        return cls(Caller(**kept["caller"]), Credentials(**lent | {"expiration": expiration}))


class Sessions:
    """Every session of this runtime, by access key; the keys that were lent before a restart stay good."""

    def __init__(self, account: str, region: str, facts: Facts | None = None) -> None:
        self.account = account
        self.region = region
        self.usage = Usage()  # the authorizer's, where a report of trust policies is wanted
        self._facts = facts or Facts.none()
        self._sessions = {key: _Session.decoded(value) for key, value in self._facts.all(_KIND)}
        self._lent_before = frozenset(self._sessions)
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

    def lent_now(self, access_key: str) -> bool:
        """Whether these keys were lent since this start, not before a restart."""
        return access_key in self._sessions and access_key not in self._lent_before

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
        trust = trust_of(role_arn)
        if trust is None:
            raise TrustDenied(
                f"Not authorized to perform sts:AssumeRole on {role_arn}: there is no such role"
            )
        if principal is None:
            return
        request = Request("sts:AssumeRole", role_arn, context, principal)
        applying = trust.about("sts:AssumeRole").applying(request)
        self.usage.note(applying, request)
        if verdict_of(clause.statement for clause in applying) is not Decision.ALLOW:
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
        session = _Session(caller, credentials)
        self._facts.put(_KIND, credentials.access_key, session.encoded())
        with self._lock:
            self._forget_expired()
            self._sessions[credentials.access_key] = session
        return credentials

    def _forget_expired(self) -> None:
        # A day of grace, so that a late caller hears "expired" and not "unknown".
        long_ago = datetime.now(UTC) - timedelta(days=1)
        gone = [
            key
            for key, session in self._sessions.items()
            if session.credentials.expiration and session.credentials.expiration < long_ago
        ]
        for key in gone:
            del self._sessions[key]
        if gone:
            self._facts.delete(_KIND, gone)

    def role_id(self, role_arn: str) -> str:
        """The unique id of a role (`AROA…`)."""
        role = find_role(role_arn)
        return "AROA" if role is None else str(role.id)
