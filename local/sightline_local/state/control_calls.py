"""What was made or changed at run time besides contents: the calls are kept, and repeated in their order.

A table that a program creates, a topic, a role, a bucket's configuration, a group of users. What the template
makes is not among them: it is deployed anew.
"""

import hashlib
import io
import json
from threading import Lock
from typing import Any

from sightline_local.cloud.calls import Call, Environ, body_of
from sightline_local.state.encoding import decode, encode
from sightline_local.state.facts import Facts

_KIND = "control-call"
# Service → the operations that are no control calls: contents, which have keepers of their own.
_CONTENTS: dict[str, tuple[str, ...]] = {
    "cognito-idp": ("*",),
    "dynamodb": ("PutItem", "UpdateItem", "DeleteItem", "BatchWrite", "Transact", "Execute", "BatchExecute"),
    "events": ("PutEvents",),
    "glue": (),
    "iam": (),
    "logs": ("PutLogEvents", "StartQuery"),
    "s3": ("*",),
    "secretsmanager": (),
    "sns": ("Publish", "Subscribe", "ConfirmSubscription", "Unsubscribe", "SetSubscription"),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "PurgeQueue"),
    "states": ("StartExecution", "StartSync", "StopExecution", "SendTask", "TestState", "Validate"),
}
_COGNITO_RESOURCES = ("UserPool", "Group", "ResourceServer", "IdentityProvider")
_WHOLE = frozenset(
    f"Delete{resource}"
    for resource in (
        *("Bucket", "Database", "Group", "LogGroup", "Policy", "Queue", "Role", "Rule", "Secret"),
        *("StateMachine", "Table", "Topic", "UserPool", "UserPoolClient"),
    )
)
_HEADERS = ("HTTP_HOST", "HTTP_X_AMZ_TARGET", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_X_AMZ_DATE")


class ControlCalls:
    """Kept from `begin` on; what the deployment of the template calls is not kept."""

    def __init__(self, facts: Facts, moto: Any) -> None:
        self._facts = facts
        self._moto = moto
        self._kept: dict[str, dict[str, Any]] = {}  # in their order
        self._next = 0
        self._began = False
        self._lock = Lock()

    def after_request(self, environ: Environ, call: Call) -> None:
        if not self._began or not _is_control(call):
            return
        request = _request(environ, call)
        with self._lock:
            same = [key for key, earlier in self._kept.items() if earlier["digest"] == request["digest"]]
            if call.operation in _WHOLE:
                self._keep_deletion(request)
            elif not (same and call.operation.startswith("Create")):  # made already: its place is the first
                self._keep(request, instead_of=same)

    def restore(self) -> list[str]:
        failed = []
        for key, fact in self._facts.all(_KIND):
            request = decode(fact)
            self._kept[key] = request
            self._next = int(key) + 1
            status = self._repeat(request)
            if not status.startswith("2"):
                failed.append(f"{request['service']}:{request['operation']} {' '.join(request['names'][:1])}")
        return failed

    def begin(self) -> None:
        self._began = True

    def _keep_deletion(self, request: dict[str, Any]) -> None:
        """All that was done with the resource is over; the deletion itself counts for one of the template."""
        named = set(request["names"])
        about = [
            key
            for key, earlier in self._kept.items()
            if earlier["service"] == request["service"] and named and named <= set(earlier["names"])
        ]
        operations = [self._kept[key]["operation"] for key in about]
        made_here = any(name.startswith("Create") for name in operations)
        of_template = not made_here or any(name in _WHOLE for name in operations)
        self._keep(request if of_template else None, instead_of=about)

    def _keep(self, request: dict[str, Any] | None, *, instead_of: list[str]) -> None:
        key = f"{self._next:012}"
        with self._facts.transaction():
            self._facts.delete(_KIND, instead_of)
            if request is not None:
                self._facts.put(_KIND, key, encode(request))
        for earlier in instead_of:
            del self._kept[earlier]
        if request is not None:
            self._kept[key] = request
            self._next += 1

    def _repeat(self, request: dict[str, Any]) -> str:
        statuses = [""]
        body: bytes = request["body"]
        environ = {
            "REQUEST_METHOD": request["method"],
            "PATH_INFO": request["path"],
            "RAW_URI": request["path"],
            "QUERY_STRING": request["query"],
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            **request["headers"],
        }
        b"".join(self._moto(environ, lambda status, _headers, _error=None: statuses.append(status)))
        return statuses[-1]


def _request(environ: Environ, call: Call) -> dict[str, Any]:
    """All that is needed to make the call again."""
    what = {
        "service": call.signing_name,
        "operation": call.operation,
        "method": environ["REQUEST_METHOD"],
        "path": environ.get("PATH_INFO", "/"),
        "query": environ.get("QUERY_STRING", ""),
        "body": body_of(environ),
    }
    return {
        **what,
        "names": sorted(_names(call.params)),
        "headers": {name: environ[name] for name in _HEADERS if name in environ},
        "digest": hashlib.sha256(repr(what).encode()).hexdigest(),
    }


def _is_control(call: Call) -> bool:
    contents = _CONTENTS.get(call.signing_name)
    if contents is None:
        return False
    if call.signing_name == "cognito-idp":
        return not call.operation.startswith("Admin") and any(
            part in call.operation for part in _COGNITO_RESOURCES
        )
    if call.signing_name == "s3":
        return "Key" not in call.params and call.operation != "DeleteObjects"
    return not call.operation.startswith(contents)


def _names(params: dict[str, Any]) -> frozenset[str]:
    """The names that a call mentions: of a URL or an ARN, the last part."""
    texts = [value for value in params.values() if isinstance(value, str) and len(value) < 2048]
    return frozenset(text.rpartition("/")[2].rpartition(":")[2] for text in texts if not _is_json(text))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
