"""The pure evaluator: documents and one request in, a decision out.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from sightline_local.iam import conditions
from sightline_local.iam.conditions import UnsupportedPolicyError, strings
from sightline_local.iam.patterns import Context, arn_matches, expand, glob_matches

_ELEMENTS = frozenset(
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


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, its lists made tuples."""

    allows: bool
    sid: str
    actions: tuple[str, ...]
    actions_negated: bool
    resources: tuple[str, ...]
    resources_negated: bool
    condition: Mapping[str, Any]
    principal: Mapping[str, tuple[str, ...]] | None

    def applies(self, request: Request) -> bool:
        return (
            self._names_action(request.action)
            and self._names_principal(request)
            and self._names_resource(request)
            and conditions.holds(self.condition, request.context)
        )

    def _names_action(self, action: str) -> bool:
        named = any(glob_matches(pattern, action, ignore_case=True) for pattern in self.actions)
        return named != self.actions_negated

    def _names_resource(self, request: Request) -> bool:
        if not self.resources:  # a trust policy: it hangs on its resource
            return True
        patterns = (expand(text, request.context) for text in self.resources)
        named = any(p is not None and _resource_matches(p, request.resource) for p in patterns)
        return named != self.resources_negated

    def _names_principal(self, request: Request) -> bool:
        if self.principal is None:
            return True
        return any(
            "*" in named or set(named) & set((request.principal or {}).get(kind, ()))
            for kind, named in self.principal.items()
        )


def _resource_matches(pattern: str, resource: str) -> bool:
    # "*" as a resource is asked for by actions that know no resource: only a policy's "*" may allow those.
    return pattern == "*" if resource == "*" else arn_matches(pattern, resource)


def evaluate(documents: Iterable[tuple[Statement, ...]], request: Request) -> Decision:
    """An explicit deny wins over every allow; without an allow the answer is no."""
    decision = Decision.IMPLICIT_DENY
    for statements in documents:
        for statement in statements:
            if statement.applies(request):
                if not statement.allows:
                    return Decision.EXPLICIT_DENY
                decision = Decision.ALLOW
    return decision


@lru_cache(maxsize=2048)
def parse(document: str) -> tuple[Statement, ...]:
    """Read a policy document (JSON text); UnsupportedPolicyError for what this evaluator does not know."""
    content = json.loads(document)
    statements = content.get("Statement", [])
    return tuple(_statement(each) for each in (statements if isinstance(statements, list) else [statements]))


def parse_document(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The same for a document that is a dictionary already."""
    return parse(json.dumps(document, sort_keys=True))


def _statement(raw: Mapping[str, Any]) -> Statement:
    if unknown := raw.keys() - _ELEMENTS:
        raise UnsupportedPolicyError(f"Policy element {', '.join(sorted(unknown))} is not known")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicyError(f"Effect must be Allow or Deny, not {raw.get('Effect')}")
    if ("Action" in raw) == ("NotAction" in raw):
        raise UnsupportedPolicyError("A statement needs either Action or NotAction")
    conditions.check(raw.get("Condition", {}))
    return Statement(
        allows=raw["Effect"] == "Allow",
        sid=str(raw.get("Sid", "")),
        actions=strings(raw.get("Action", raw.get("NotAction"))),
        actions_negated="NotAction" in raw,
        resources=strings(raw.get("Resource", raw.get("NotResource", []))),
        resources_negated="NotResource" in raw,
        condition=raw.get("Condition", {}),
        principal=_principal(raw["Principal"]) if "Principal" in raw else None,
    )


def _principal(raw: Any) -> dict[str, tuple[str, ...]]:
    if raw == "*":
        return {"AWS": ("*",)}
    return {kind: strings(named) for kind, named in raw.items()}
