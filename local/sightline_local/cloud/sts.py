"""STS: roles are lent by our sessions, so that trust policies and session policies count."""

import json
from datetime import timedelta
from typing import Any

from sightline_local.cloud.service import ServiceError, unknown_operation
from sightline_local.iam import Caller, Sessions

_DEFAULT_SECONDS = 3600
_CHAINED_LIMIT_SECONDS = 3600  # a role that assumes a role gets an hour at the most
_SESSION_POLICY_LIMIT = 2048


class StsService:
    """AssumeRole and GetCallerIdentity."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation == "AssumeRole":
            return self._assume_role(params, caller)
        if operation == "GetCallerIdentity":
            return {"UserId": self._user_id(caller), "Account": caller.account, "Arn": caller.arn}
        raise unknown_operation("sts", operation)

    def _user_id(self, caller: Caller) -> str:
        if caller.role_arn is None:
            return caller.access_key
        return f"{self._sessions.role_id(caller.role_arn)}:{caller.arn.rpartition('/')[2]}"

    def _assume_role(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if params.get("PolicyArns"):
            raise ServiceError(
                "ValidationError", "The local runtime does not emulate PolicyArns of AssumeRole"
            )
        seconds = int(params.get("DurationSeconds", _DEFAULT_SECONDS))
        if caller.role_arn and seconds > _CHAINED_LIMIT_SECONDS:
            raise ServiceError(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                "chaining",
            )
        credentials = self._sessions.assume(
            params["RoleArn"],
            params["RoleSessionName"],
            caller=caller,
            external_id=params.get("ExternalId"),
            policy=_session_policy(params.get("Policy")),
            duration=timedelta(seconds=seconds),
        )
        lent = self._sessions.caller_of(credentials.access_key, credentials.session_token)
        name = params["RoleSessionName"]
        return {
            "Credentials": {
                "AccessKeyId": credentials.access_key,
                "SecretAccessKey": credentials.secret_key,
                "SessionToken": credentials.session_token,
                "Expiration": credentials.expiration,
            },
            "AssumedRoleUser": {
                "AssumedRoleId": f"{self._sessions.role_id(params['RoleArn'])}:{name}",
                "Arn": lent.arn,
            },
        }


def _session_policy(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    if len(text) > _SESSION_POLICY_LIMIT:
        raise ServiceError(
            "PackedPolicyTooLarge", f"A session policy has {_SESSION_POLICY_LIMIT} characters at most"
        )
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ServiceError("MalformedPolicyDocument", "The policy is not valid JSON") from error
    if not isinstance(document, dict):
        raise ServiceError("MalformedPolicyDocument", "The policy is not a JSON object")
    return document
