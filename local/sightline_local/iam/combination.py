"""How identity, resource and session policies decide together, within one account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from dataclasses import dataclass

from sightline_local.iam.callers import Caller
from sightline_local.iam.policy import Decision, Request
from sightline_local.iam.policy_set import Clause, Clauses

IDENTITY, RESOURCE, SESSION = "identity-based", "resource-based", "session"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kind` is the kind of policy that a denial is due to."""

    decision: Decision
    kind: str = IDENTITY

    def because(self, action: str) -> str:
        """The end of AWS's sentence about a denial."""
        if self.decision is Decision.EXPLICIT_DENY:
            article = "an" if self.kind == IDENTITY else "a"
            return f"with an explicit deny in {article} {self.kind} policy"
        return f"because no {self.kind} policy allows the {action} action"


_ALLOWED = Verdict(Decision.ALLOW)


def names_of(caller: Caller) -> dict[str, tuple[str, ...]]:
    """Whom a policy may mean by the caller: the session, its role, or everybody of the account."""
    account = caller.account
    return {"AWS": (caller.arn, caller.role_arn or "", account, f"arn:aws:iam::{account}:root")}


def decide(
    identity: Clauses, session: Clauses | None, resource: Clauses, request: Request, caller: Caller
) -> tuple[Verdict, list[Clause]]:
    """The verdict about a caller, and the clauses of identity and resource policies that it is due to."""
    said = {IDENTITY: identity.applying(request), RESOURCE: resource.applying(request)}
    if session is not None:
        said[SESSION] = session.applying(request)
    for kind, clauses in said.items():
        if denying := [clause for clause in clauses if not clause.statement.allows]:
            return Verdict(Decision.EXPLICIT_DENY, kind), [] if kind == SESSION else denying
    granting = [clause for clause in said[RESOURCE] if _names_directly(clause, caller)]
    needed = [*said[IDENTITY], *granting]
    if any(_names_session(clause, caller) for clause in granting):
        return _ALLOWED, needed
    if not needed:
        return Verdict(Decision.IMPLICIT_DENY), []
    if session is not None and not said[SESSION]:
        return Verdict(Decision.IMPLICIT_DENY, SESSION), []
    return _ALLOWED, needed


def decide_for_service(resource: Clauses, request: Request) -> tuple[Verdict, list[Clause]]:
    """A service that acts for itself has no policies of its own: the resource must let it in."""
    applying = resource.applying(request)
    if denying := [clause for clause in applying if not clause.statement.allows]:
        return Verdict(Decision.EXPLICIT_DENY, RESOURCE), denying
    return (_ALLOWED, applying) if applying else (Verdict(Decision.IMPLICIT_DENY, RESOURCE), [])


def _names_directly(clause: Clause, caller: Caller) -> bool:
    """The account as principal only hands the question on to the identity policies."""
    named = _named(clause)
    return "*" in named or caller.role_arn in named or caller.arn in named


def _names_session(clause: Clause, caller: Caller) -> bool:
    """Then not even the session's own policy narrows it."""
    return caller.arn in _named(clause)


def _named(clause: Clause) -> tuple[str, ...]:
    return (clause.statement.principal or {}).get("AWS", ())
