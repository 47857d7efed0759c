"""moto behind a door that keeps facts of every change before it is acknowledged."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sightline_local.cloud.calls import Call, Environ, body_of, read_call, scope_of

_COGNITO_TARGET = "AWSCognitoIdentityProviderService."  # signing in needs no signature
_READS = ("Get", "List", "Describe", "Head", "BatchGet", "TransactGet", "Query", "Scan", "Lookup")


class AfterCall(Protocol):
    def after(self, call: Call) -> None:
        """A call that may have changed something has succeeded; keep the change."""
        ...


class AfterRequest(Protocol):
    def after_request(self, environ: Environ, call: Call) -> None: ...


class KeepingApp:
    """A WSGI application around moto's. When a fact cannot be kept that raises: the call has failed then."""

    def __init__(self, app: Any, keepers: Mapping[str, AfterCall], control_calls: AfterRequest) -> None:
        self._app = app
        self._keepers = keepers
        self._control_calls = control_calls

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        call = _change(environ)
        if call is None:
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        statuses: list[str] = []

        def noted(status: str, *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, *more)

        answer = self._app(environ, noted)
        if statuses and statuses[-1].startswith("2"):
            if keeper := self._keepers.get(call.signing_name):
                keeper.after(call)
            self._control_calls.after_request(environ, call)
        return answer


def _change(environ: Environ) -> Call | None:
    """The call, if it is one that may change something."""
    scope = scope_of(environ)
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if scope is not None:
        service = scope.signing_name
    elif target.startswith(_COGNITO_TARGET):
        service = "cognito-idp"
    else:
        return None
    if target.rpartition(".")[2].startswith(_READS) or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        return None
    if service != "s3":
        body_of(environ)  # moto reads it after us
    call = read_call(environ, service, modelled=False)
    return None if call.operation.startswith(_READS) else call
