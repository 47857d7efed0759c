"""May this caller do this to that?"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from sightline_local.iam import context, resources
from sightline_local.iam.arns import Params, Place
from sightline_local.iam.callers import Caller
from sightline_local.iam.combination import Verdict, decide, decide_for_service, names_of
from sightline_local.iam.policy import Decision, Request, UnsupportedPolicyError, parse_document
from sightline_local.iam.policy_set import NO_CLAUSES, PolicySet, single
from sightline_local.iam.resource_policies import ResourcePolicies
from sightline_local.iam.roles import Roles, find_role
from sightline_local.iam.usage import Denial, Usage

Facts = Callable[[], Mapping[str, str]]  # what a request says about itself; asked when a policy wants it

_MOST_REMEMBERED = 8192
_UNREADABLE = "because the local runtime cannot read a policy that decides about it: "


class AccessDenied(Exception):  # noqa: N818  AWS's name
    """The refusal, worded as AWS words it: who, what, on which resource, and why."""


class Authorizer:
    """Policies of the role and of the resource, narrowed by those of the session; an explicit deny wins.

    A verdict is remembered with everything that it depends on: the clauses that name the action (another
    document has other clauses), the resource, and the values of the context that those clauses ask for.
    """

    def __init__(self, account: str, region: str) -> None:
        self.place = Place(account, region)
        self.usage = Usage()
        self.resource_policies = ResourcePolicies(account, region)
        self._roles = Roles(account)
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._sessions: dict[str, PolicySet] = {}  # access key → session policy

    def authorize(
        self,
        caller: Caller,
        action: str,
        resource: str,
        given: Mapping[str, str] | None = None,
        facts: Facts | None = None,
    ) -> None:
        """Return when the policies allow it; raise AccessDenied otherwise."""
        if caller.is_admin:
            return
        who = caller.role_arn or caller.arn
        try:
            verdict = self._verdict(caller, action, resource, given or {}, facts)
        except UnsupportedPolicyError as error:
            denial = Denial(who, action, resource, _UNREADABLE + str(error))
            raise self._refusal(f"User: {caller.arn}", denial) from error
        if verdict.decision is not Decision.ALLOW:
            raise self._refusal(f"User: {caller.arn}", Denial(who, action, resource, verdict.because(action)))

    def authorize_call(
        self,
        caller: Caller,
        signing_name: str,
        operation: str,
        params: Params,
        facts: Facts | None = None,
    ) -> None:
        """Check every permission that an API call needs; raise AccessDenied for the first that is missing."""
        if caller.is_admin:
            return
        action = resources.action_of(signing_name, operation)
        needs = resources.needs(self.place, action, params)
        if needs is None:
            who = caller.role_arn or caller.arn
            self.usage.note_denial(Denial(who, action, "*", "because the local runtime has no rule for it"))
            raise AccessDenied(
                f"User: {caller.arn} is not authorized to perform: {action} because the local runtime has no "
                "rule for the resource of this action (add one to sightline_local/iam/resources.py)"
            )
        for need in needs:
            self.authorize(caller, need.action, need.resource, need.context, facts)

    def authorize_service(
        self, service: str, action: str, resource: str, source_arn: str | None = None
    ) -> None:
        """What a service does in its own name (SNS for a topic) needs the resource's policy."""
        try:
            policies = self.resource_policies.of(resource)
        except UnsupportedPolicyError as error:
            raise self._refusal(
                service, Denial(service, action, resource, _UNREADABLE + str(error))
            ) from error
        clauses = policies.about(action) if policies else NO_CLAUSES
        known = context.of_service(service, self.place.region, self.place.account, source_arn)
        known |= context.at(datetime.now(UTC))
        request = Request(action, resource, known, {"Service": (service,)})
        verdict, needed = decide_for_service(clauses, request)
        self.usage.note(needed, request)
        if verdict.decision is not Decision.ALLOW:
            raise self._refusal(service, Denial(service, action, resource, verdict.because(action)))

    def role_policies(self) -> dict[str, list[PolicySet]]:
        """By role: who may assume it, and what it may do."""
        found: dict[str, list[PolicySet]] = {}
        for arn in [str(role.arn) for role in self._roles.all()]:
            with suppress(UnsupportedPolicyError):  # it has denied everything, and that is told
                trust = self.resource_policies.of(arn)
                found[arn] = [*([trust] if trust else []), self._roles.policies_of(arn)]
        return found

    def _verdict(
        self, caller: Caller, action: str, resource: str, given: Mapping[str, str], facts: Facts | None
    ) -> Verdict:
        identity = self._roles.policies_of(caller.role_arn).about(action) if caller.role_arn else NO_CLAUSES
        session = None if caller.session_policy is None else self._session(caller).about(action)
        policies = self.resource_policies.of(resource)
        own = policies.about(action) if policies else NO_CLAUSES
        keys = identity.keys + own.keys + (session.keys if session else ())
        known = self._context(caller, keys, given, facts) if keys else {}
        who = caller.arn if own is not NO_CLAUSES else None
        place = (identity, session, own, resource, who, context.values_of(keys, known))
        verdict = self._verdicts.get(place)
        if verdict is None:
            request = Request(action, resource, known, names_of(caller))
            verdict, needed = decide(identity, session, own, request, caller)
            self.usage.note(needed, request)
            if context.PASSING.isdisjoint(keys):
                self._remember(place, verdict)
        return verdict

    def _remember(self, place: tuple[object, ...], verdict: Verdict) -> None:
        if len(self._verdicts) >= _MOST_REMEMBERED:
            self._verdicts.clear()
        self._verdicts[place] = verdict

    def _session(self, caller: Caller) -> PolicySet:
        known = self._sessions.get(caller.access_key)
        if known is None:
            if len(self._sessions) >= _MOST_REMEMBERED:
                self._sessions.clear()
            statements = parse_document(caller.session_policy or {})
            known = self._sessions[caller.access_key] = single(caller.arn, "session", statements)
        return known

    def _context(
        self, caller: Caller, keys: tuple[str, ...], given: Mapping[str, str], facts: Facts | None
    ) -> dict[str, str]:
        role_id = _role_id(caller.role_arn) if "aws:userid" in keys else ""
        said = {**(facts() if facts else {}), **given}
        if not context.PASSING.isdisjoint(keys):
            said |= context.at(datetime.now(UTC))
        return context.of_caller(caller, role_id, self.place.region, self.place.account, said)

    def _refusal(self, subject: str, denial: Denial) -> AccessDenied:
        self.usage.note_denial(denial)
        return AccessDenied(
            f"{subject} is not authorized to perform: {denial.action} on resource: {denial.resource} "
            f"{denial.because}"
        )


def _role_id(role_arn: str | None) -> str:
    role = find_role(role_arn) if role_arn else None
    return "" if role is None else str(role.id)
