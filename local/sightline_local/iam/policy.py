"""One policy document: read into statements, each of which applies to a request or not.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from sightline_local.iam.conditions import Condition, UnsupportedPolicyError, read_conditions, strings
from sightline_local.iam.patterns import Context, arn_matches, expand, glob_matches, names_in

__all__ = ["Decision", "Request", "Statement", "UnsupportedPolicyError", "evaluate", "parse"]

ELEMENTS = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal"}
)


class Decision(Enum):
    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do. `context` has lower-case keys; only resource policies ask who it is."""

    action: str
    resource: str
    context: Context
    principal: Mapping[str, tuple[str, ...]] | None = (
        None  # {"Service": (…,)} or {"AWS": (role ARN, account, …)}
    )


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement, its lists made tuples."""

    allows: bool
    sid: str
    actions: tuple[str, ...]
    actions_negated: bool
    resources: tuple[str, ...]
    resources_negated: bool
    conditions: tuple[Condition, ...]
    principal: Mapping[str, tuple[str, ...]] | None
    keys: frozenset[str]  # of the context, that conditions and variables ask for

    def applies(self, request: Request) -> bool:
        return self.names_action(request.action) and self.applies_to_action(request)

    def applies_to_action(self, request: Request) -> bool:
        """The rest of the question, when it is known that the statement names the action."""
        return (
            self._names_principal(request)
            and self._names_resource(request)
            and all(condition.holds(request.context) for condition in self.conditions)
        )

    def has_variables(self) -> bool:
        texts = (*self.resources, *(text for each in self.conditions for text in each.wanted))
        return any(name for text in texts for name in names_in(text))

    def names_action(self, action: str) -> bool:
        named = any(glob_matches(pattern, action, ignore_case=True) for pattern in self.actions)
        return named != self.actions_negated

    def _names_resource(self, request: Request) -> bool:
        if not self.resources:  # a trust policy: it hangs on its resource
            return True
        named = any(resource_matches(text, request) for text in self.resources)
        return named != self.resources_negated

    def _names_principal(self, request: Request) -> bool:
        if self.principal is None:
            return True
        known = request.principal or {}
        return any(
            "*" in named or not set(named).isdisjoint(known.get(kind, ()))
            for kind, named in self.principal.items()
        )


def resource_matches(text: str, request: Request) -> bool:
    """Whether the resource of a statement, with the variables in it, is the resource of the request."""
    pattern = expand(text, request.context)
    if pattern is None:
        return False
    # "*" as a resource is asked for by actions that know no resource: only a policy's "*" may allow those.
    return pattern == "*" if request.resource == "*" else arn_matches(pattern, request.resource)


def evaluate(documents: Iterable[tuple[Statement, ...]], request: Request) -> Decision:
    """An explicit deny wins over every allow; without an allow the answer is no."""
    return verdict_of(s for statements in documents for s in statements if s.applies(request))


def verdict_of(applying: Iterable[Statement]) -> Decision:
    """What the statements that apply to a request say together."""
    decision = Decision.IMPLICIT_DENY
    for statement in applying:
        if not statement.allows:
            return Decision.EXPLICIT_DENY
        decision = Decision.ALLOW
    return decision


@lru_cache(maxsize=2048)
def parse(document: str) -> tuple[Statement, ...]:
    """Read a policy document (JSON text); UnsupportedPolicyError for what this evaluator does not know."""
    try:
        content = json.loads(document)
        listed = content.get("Statement", [])
        statements = tuple(_statement(each) for each in (listed if isinstance(listed, list) else [listed]))
    except (ValueError, AttributeError, TypeError) as error:  # no JSON, or JSON of another form
        raise UnsupportedPolicyError("it has not the form of a policy") from error
    if content.get("Version") != "2012-10-17" and any(statement.has_variables() for statement in statements):
        raise UnsupportedPolicyError("variables need the Version 2012-10-17")
    return statements


def parse_document(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The same for a document that is a dictionary already."""
    return parse(json.dumps(document, sort_keys=True))


def _statement(raw: Mapping[str, Any]) -> Statement:
    if unknown := raw.keys() - ELEMENTS:
        raise UnsupportedPolicyError(f"the policy element {min(unknown)} is not known")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicyError(f"Effect must be Allow or Deny, not {raw.get('Effect')}")
    if ("Action" in raw) == ("NotAction" in raw):
        raise UnsupportedPolicyError("a statement needs either Action or NotAction")
    conditions = read_conditions(raw.get("Condition", {}))
    resources = strings(raw.get("Resource", raw.get("NotResource", [])))
    asked = {key for condition in conditions for key in condition.keys()}  # noqa: SIM118  no dictionary
    return Statement(
        allows=raw["Effect"] == "Allow",
        sid=str(raw.get("Sid", "")),
        actions=strings(raw.get("Action", raw.get("NotAction"))),
        actions_negated="NotAction" in raw,
        resources=resources,
        resources_negated="NotResource" in raw,
        conditions=conditions,
        principal=_principal(raw["Principal"]) if "Principal" in raw else None,
        keys=frozenset(asked.union(*(names_in(text) for text in resources))),
    )


def _principal(raw: Any) -> dict[str, tuple[str, ...]]:
    if raw == "*":
        return {"AWS": ("*",), "Service": ("*",)}
    named = {kind: strings(names) for kind, names in raw.items()}
    # AWS means the same by {"AWS": "*"} and "*": everybody.
    return {**named, "Service": ("*",)} if "*" in named.get("AWS", ()) else named
