"""The one door to the local cloud: every AWS request is identified, authorised and passed on.

SigV4 scope → service, operation, parameters → caller → permission → our own service, or moto. A request of
the administrator to moto passes through untouched. Signatures are not verified; session tokens are.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from sightline_local.cloud import answers, refusals
from sightline_local.cloud.answers import Answer, Fault
from sightline_local.cloud.calls import (
    Call,
    Environ,
    Scope,
    UnreadableCallError,
    body_of,
    protocol_of,
    read_call,
    scope_of,
)
from sightline_local.cloud.gate import Gate
from sightline_local.cloud.http_server import HttpServer
from sightline_local.cloud.presigned import fault_of_url, is_presigned
from sightline_local.cloud.service import (
    EventStream,
    RawResponse,
    ResolvesResources,
    Service,
    ServiceError,
    SharesWithMoto,
    SpeaksJson,
)
from sightline_local.cloud.sts import StsService
from sightline_local.iam import Authorizer, Caller, Sessions

# What Cognito answers without a signature: signing in is how a user gets one.
_PUBLIC_TARGETS = frozenset(
    f"AWSCognitoIdentityProviderService.{operation}"
    for operation in [
        "InitiateAuth",
        "RespondToAuthChallenge",
        "GetUser",
        "RevokeToken",
        "GlobalSignOut",
        "ForgotPassword",
        "ConfirmForgotPassword",
        "ChangePassword",
        "GetTokensFromRefreshToken",
    ]
)
_PUBLIC_PATHS = ("/.well-known/jwks.json", "/.well-known/openid-configuration")
_FORM = "application/x-www-form-urlencoded"
_DYNAMODB = "DynamoDB_20120810."


class Gateway:
    """A WSGI application in front of moto's."""

    def __init__(self, moto_app: Any, sessions: Sessions, authorizer: Authorizer) -> None:
        self._moto = moto_app
        self._sessions = sessions
        self._authorizer = authorizer
        self.gate = Gate()
        self.services: dict[str, Service] = {"sts": StsService(sessions)}
        # moto reads, checks and writes in three steps: two requests at once would both pass a condition.
        self._dynamodb = Lock()
        self.public: dict[str, Callable[[], bytes]] = {}  # path → what anybody may read there
        self.public_actions: dict[str, Callable[[dict[str, str]], Answer]] = {}  # of links in messages

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        scope = scope_of(environ)
        if not self.gate.is_open:
            self.gate.wait(environ, lent=scope is not None and self._sessions.lent_now(scope.access_key))
        service = scope.signing_name if scope else "cognito-idp"  # where users sign in, without a signature
        protocol = protocol_of(environ, service)
        try:
            if scope is None:
                return self._unsigned(environ, start_response)
            caller = self._sessions.caller_of(scope.access_key, scope.session_token)
            if service == "s3" and is_presigned(environ) and (refused := self._refused(environ, scope)):
                return answers.failure(protocol, service, refused).send(start_response)
            if caller.is_admin and service not in self.services:
                return self._to_moto(environ, start_response)
            answer = self._answer(environ, scope, caller)
            return answer.send(start_response) if answer else self._to_moto(environ, start_response)
        except Exception as error:  # noqa: BLE001  whatever goes wrong has an answer, and what is our fault a log
            fault = refusals.fault_of(error, service, protocol)
        return answers.failure(protocol, service, fault).send(start_response)

    def _unsigned(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if shown := self.public.get(str(environ.get("PATH_INFO", ""))):
            return Answer(200, {"Content-Type": "application/octet-stream"}, shown()).send(start_response)
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if visited := self.public_actions.get(query.get("Action", "")):
            return visited(query).send(start_response)
        if _is_public(environ):
            return self._to_moto(environ, start_response)
        return answers.failure("rest-json", "", refusals.unsigned()).send(start_response)

    def _refused(self, environ: Environ, scope: Scope) -> Fault | None:
        signer = self._sessions.credentials_of(scope.access_key)
        fault = fault_of_url(environ, signer, self._sessions.account, datetime.now(UTC))
        if str(environ.get("CONTENT_TYPE", "")).startswith(_FORM):
            environ["CONTENT_TYPE"] = (
                "binary/octet-stream"  # curl says "form" of any body; moto would parse it
            )
        return fault

    def _answer(self, environ: Environ, scope: Scope, caller: Caller) -> Answer | None:
        """Authorise the call; the answer of our own service, or None when moto is to answer."""
        service = self.services.get(scope.signing_name)
        call = read_call(environ, scope.signing_name, modelled=_is_modelled(service))
        params = call.params
        if isinstance(service, ResolvesResources):
            params = {**params, **service.resolve(call.operation, params)}
        self._authorizer.authorize_call(
            caller, scope.signing_name, call.operation, params, lambda: _facts(environ)
        )
        if service is None or (
            isinstance(service, SharesWithMoto) and not service.serves(call.operation, call.params)
        ):
            return None
        return _served(service, call, caller)

    def _to_moto(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith(_DYNAMODB):
            body_of(environ)  # a slow sender must not hold the lock
            with self._dynamodb:
                table_answer: Iterable[bytes] = self._moto(environ, start_response)
            return table_answer
        response: Iterable[bytes] = self._moto(environ, start_response)
        return response


def _facts(environ: Environ) -> dict[str, str]:
    """What policies may ask about the request itself; the loopback counts as TLS unless a proxy says no."""
    plain = environ.get("HTTP_X_FORWARDED_PROTO") == "http"
    return {
        "aws:sourceip": str(environ.get("REMOTE_ADDR", "127.0.0.1")),
        "aws:useragent": str(environ.get("HTTP_USER_AGENT", "")),
        "aws:securetransport": "false" if plain else "true",
    }


def _is_modelled(service: Service | None) -> bool:
    """Whether the parameters are to be parsed by the service's model."""
    return service is not None and not isinstance(service, SpeaksJson)


def _is_public(environ: Environ) -> bool:
    path = str(environ.get("PATH_INFO", "")).rstrip("/")
    return environ.get("HTTP_X_AMZ_TARGET") in _PUBLIC_TARGETS or path.endswith(_PUBLIC_PATHS)


def _served(service: Service, call: Call, caller: Caller) -> Answer:
    try:
        value: dict[str, Any] | RawResponse | EventStream = service.handle(
            call.operation, call.params, caller
        )
    except ServiceError as error:
        fault: Fault = answers.fault_of(error, call.model)
        return answers.failure(call.protocol, call.signing_name, fault)
    if isinstance(service, SpeaksJson) and not isinstance(value, RawResponse):
        return answers.json_result(value, call.protocol)
    if call.model is None or isinstance(value, EventStream):
        raise UnreadableCallError(f"{call.signing_name} does not speak {call.protocol} here")
    return answers.result(call.model, call.protocol, value)


def serve(gateway: Gateway, port: int = 0) -> HttpServer:
    """Serve the gateway on the loopback; 0 takes any free port, a port in use raises OSError."""
    return HttpServer(gateway, port)
