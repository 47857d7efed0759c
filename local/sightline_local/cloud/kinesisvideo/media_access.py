"""Who asks the media plane, and whether they may: every request is authorised on the ARN of its stream."""

import re
from typing import Protocol

from sightline_local.cloud.kinesisvideo.service import KinesisVideoService
from sightline_local.cloud.service import ServiceError
from sightline_local.iam.authorizer import AccessDenied, Authorizer
from sightline_local.iam.callers import Caller
from sightline_local.iam.sessions import ExpiredToken, Sessions, UnknownKey

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 .*Credential=([^/,\s]+)/")


class Headers(Protocol):
    """Of a request; names in any case."""

    def get(self, name: str, /) -> str | None: ...


class MediaAccess:
    def __init__(self, service: KinesisVideoService, sessions: Sessions, authorizer: Authorizer) -> None:
        self._service = service
        self._sessions = sessions
        self._authorizer = authorizer

    def check(self, headers: Headers, action: str, name: str | None, arn: str | None) -> None:
        """Raise ServiceError unless the signer of the request may do `action` to the stream."""
        caller = self._caller(headers)
        if not name and not arn:
            raise ServiceError(
                "InvalidArgumentException", "Either a stream name or a stream ARN must be given."
            )
        try:
            self._authorizer.authorize(
                caller, f"kinesisvideo:{action}", arn or self._service.stream_arn(name or "")
            )
        except AccessDenied as denial:
            raise ServiceError("AccessDeniedException", str(denial), status=403) from denial

    def _caller(self, headers: Headers) -> Caller:
        signed = _CREDENTIAL.match(headers.get("Authorization") or "")
        if not signed:
            raise ServiceError(
                "MissingAuthenticationTokenException", "The request is not signed.", status=403
            )
        try:
            return self._sessions.caller_of(signed[1], headers.get("X-Amz-Security-Token"))
        except UnknownKey as unknown:
            expired = isinstance(unknown, ExpiredToken)
            code = "ExpiredTokenException" if expired else "UnrecognizedClientException"
            raise ServiceError(code, str(unknown), status=403) from unknown
