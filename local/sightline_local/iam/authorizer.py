"""May this caller do this to that?"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sightline_local.iam import resources
from sightline_local.iam.arns import Params, Place
from sightline_local.iam.callers import Caller
from sightline_local.iam.policy import Decision, Request, Statement, evaluate, parse_document
from sightline_local.iam.roles import policies_of

Watcher = Callable[[Caller, str, str, Decision], None]


class AccessDenied(Exception):  # noqa: N818  AWS's name
    """The refusal, worded as AWS words it: who, what, on which resource, and why."""


class Authorizer:
    """Identity policies of the role, narrowed by the policy of the session; an explicit deny wins."""

    def __init__(self, account: str, region: str) -> None:
        self.place = Place(account, region)
        self.watchers: list[Watcher] = []  # told of every decision about a role: action, resource, verdict

    def authorize(
        self, caller: Caller, action: str, resource: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Return when the policies of the caller allow it; raise AccessDenied otherwise."""
        if caller.is_admin:
            return
        request = Request(action, resource, self._context(caller, context or {}))
        verdict, because = _decide(caller, request)
        for watcher in self.watchers:
            watcher(caller, action, resource, verdict)
        if verdict is not Decision.ALLOW:
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} {because}"
            )

    def authorize_call(self, caller: Caller, signing_name: str, operation: str, params: Params) -> None:
        """Check every permission that an API call needs; raise AccessDenied for the first that is missing."""
        if caller.is_admin:
            return
        action = resources.action_of(signing_name, operation)
        needs = resources.needs(self.place, action, params)
        if needs is None:
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: {action} because the local runtime has no "
                "rule for the resource of this action (add one to sightline_local/iam/resources.py)"
            )
        for need in needs:
            self.authorize(caller, need.action, need.resource, need.context)

    def _context(self, caller: Caller, context: Mapping[str, str]) -> dict[str, str]:
        return {
            "aws:principalarn": caller.role_arn or caller.arn,
            "aws:principalaccount": caller.account,
            "aws:resourceaccount": self.place.account,  # nothing here belongs to another account
            "s3:resourceaccount": self.place.account,
            "aws:requestedregion": self.place.region,
            "aws:securetransport": "true",  # as on AWS; here it is plain HTTP on the loopback
            **{key.lower(): value for key, value in context.items()},
        }


def _decide(caller: Caller, request: Request) -> tuple[Decision, str]:
    """The verdict, and the end of AWS's sentence about it."""
    layers: list[tuple[str, Iterable[tuple[Statement, ...]]]] = [
        ("identity-based", policies_of(caller.role_arn))
    ]
    if caller.session_policy is not None:
        layers.append(("session", [_session(caller.session_policy)]))
    for kind, documents in layers:
        verdict = evaluate(documents, request)
        if verdict is Decision.EXPLICIT_DENY:
            article = "an" if kind[0] == "i" else "a"
            return verdict, f"with an explicit deny in {article} {kind} policy"
        if verdict is Decision.IMPLICIT_DENY:
            return verdict, f"because no {kind} policy allows the {request.action} action"
    return Decision.ALLOW, ""


def _session(document: dict[str, Any]) -> tuple[Statement, ...]:
    return parse_document(document)
