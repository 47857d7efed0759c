"""What is wrong with a policy document, before anybody is let in by it: by AWS's grammar, and for us.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

Values that are not text may stand for something that is not known yet (`!GetAtt`): they are not looked at.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from sightline_local.iam import context
from sightline_local.iam.conditions import Condition, UnsupportedPolicyError, read_conditions
from sightline_local.iam.patterns import names_in
from sightline_local.iam.policy import ELEMENTS

Place = tuple[str | int, ...]
Problem = tuple[Place, str]

_VERSIONS = ("2012-10-17", "2008-10-17")
_ACTION = re.compile(r"\*|[a-z0-9-]+:[\w*?]+", re.IGNORECASE)
_SID = re.compile(r"[A-Za-z0-9]*")
_PRINCIPALS = frozenset({"AWS", "Service"})
_PARTS_OF_AN_ARN = 6


class Kind(Enum):
    """What a document hangs on decides what must be in it, and what must not."""

    IDENTITY = "identity policy"
    RESOURCE = "resource policy"
    TRUST = "trust policy"


def problems(document: Any, kind: Kind) -> Iterator[Problem]:
    """Each problem with its place in the document."""
    if not isinstance(document, Mapping):
        yield (), "a policy document must be a mapping"
        return
    for name in document.keys() - {"Version", "Id", "Statement"}:
        yield (name,), f"the policy element {name} is not known"
    version = document.get("Version")
    if version is not None and version not in _VERSIONS:
        yield ("Version",), f"the version of a policy is 2012-10-17, not {version}"
    if version != _VERSIONS[0] and _variables(document):
        yield (), "policy variables need the Version 2012-10-17: without it they are taken literally"
    if not document.get("Statement"):
        yield (), "a policy needs a Statement"
        return
    yield from _of_statements(document["Statement"], kind)


def _of_statements(listed: Any, kind: Kind) -> Iterator[Problem]:
    sids: set[str] = set()
    for index, statement in enumerate(listed if isinstance(listed, list) else [listed]):
        at: Place = ("Statement", index) if isinstance(listed, list) else ("Statement",)
        for place, problem in _of_statement(statement, kind):
            yield (*at, *place), problem
        sid = statement.get("Sid") if isinstance(statement, Mapping) else None
        if sid and sid in sids:
            yield (*at, "Sid"), f"the statement id {sid} is there twice in one policy"
        sids.add(str(sid))


def _of_statement(statement: Any, kind: Kind) -> Iterator[Problem]:
    if not isinstance(statement, Mapping):
        yield (), "a statement must be a mapping"
        return
    for name in sorted(statement.keys() - ELEMENTS):
        yield (name,), f"the policy element {name} is not known to the local runtime"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield (("Effect",) if "Effect" in statement else ()), "Effect must be Allow or Deny"
    yield from _of_sid(statement.get("Sid", ""), kind)
    yield from _of_actions(statement)
    yield from _of_resources(statement, kind)
    yield from _of_principal(statement, kind)
    yield from _of_condition(statement.get("Condition", {}))


def _of_sid(sid: Any, kind: Kind) -> Iterator[Problem]:
    if isinstance(sid, str) and kind is not Kind.RESOURCE and not _SID.fullmatch(sid):
        yield ("Sid",), f"a statement id is made of letters and digits, not {sid}"


def _of_actions(statement: Mapping[str, Any]) -> Iterator[Problem]:
    if ("Action" in statement) == ("NotAction" in statement):
        yield (), "a statement needs either Action or NotAction"
        return
    name = "Action" if "Action" in statement else "NotAction"
    for action in _texts(statement[name]):
        if not _ACTION.fullmatch(action):
            yield (name,), f"an action is written service:Name, not {action}"


def _of_resources(statement: Mapping[str, Any], kind: Kind) -> Iterator[Problem]:
    names = [name for name in ("Resource", "NotResource") if name in statement]
    if kind is Kind.TRUST and names:
        yield (names[0],), f"a trust policy has no {names[0]}: it hangs on its role"
    elif kind is not Kind.TRUST and len(names) != 1:
        yield (), "a statement needs either Resource or NotResource"
    for name in names:
        for text in _texts(statement[name]):
            if text != "*" and len(text.split(":", _PARTS_OF_AN_ARN - 1)) != _PARTS_OF_AN_ARN:
                yield (name,), f"a resource is an ARN or *, not {text}"
            yield from (((name,), problem) for problem in _of_variables(text))


def _of_principal(statement: Mapping[str, Any], kind: Kind) -> Iterator[Problem]:
    principal = statement.get("Principal")
    if kind is Kind.IDENTITY:
        if principal is not None:
            yield ("Principal",), "an identity policy has no Principal: it hangs on its role"
    elif principal is None:
        yield (), f"a statement of a {kind.value} needs a Principal"
    elif isinstance(principal, Mapping):
        for name in sorted(principal.keys() - _PRINCIPALS - {"Ref", "Fn::GetAtt", "Fn::Sub"}):
            yield ("Principal", name), f"the local runtime does not know principals of the kind {name}"
    elif principal != "*":
        yield ("Principal",), f"Principal is * or a mapping, not {principal}"


def _of_condition(block: Any) -> Iterator[Problem]:
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        yield ("Condition",), "Condition is a mapping of operators to keys to values"
        return
    for operator, keys in block.items():
        try:
            written = {key: list(_texts(wanted)) for key, wanted in keys.items()}
            conditions = read_conditions({operator: written})
        except UnsupportedPolicyError:
            yield (
                ("Condition", operator),
                f"the local runtime does not know the condition operator {operator}",
            )
            continue
        for condition in conditions:
            yield from ((("Condition", operator), problem) for problem in _of_keys(condition))


def _of_keys(condition: Condition) -> Iterator[str]:
    if condition.key not in context.KNOWN:
        yield f"the local runtime does not know the condition key {condition.key}"
    for text in condition.wanted:
        yield from _of_variables(text)


def _of_variables(text: str) -> Iterator[str]:
    for name in names_in(text):
        if name not in context.KNOWN:
            yield f"the local runtime does not know the policy variable ${{{name}}}"


def _variables(value: Any) -> list[str]:
    """The variables in all texts of a document, but for those of CloudFormation (`Fn::Sub`)."""
    if isinstance(value, str):
        return list(names_in(value))
    if isinstance(value, Mapping):
        inner = [item for key, item in value.items() if key != "Fn::Sub"]
        return [name for item in inner for name in _variables(item)]
    return [name for item in value for name in _variables(item)] if isinstance(value, list) else []


def named_roles(document: Mapping[str, Any]) -> Iterator[str]:
    """The ARNs of roles that a document names as principals."""
    listed = document.get("Statement", [])
    for statement in listed if isinstance(listed, list) else [listed]:
        principal = statement.get("Principal", {})
        for text in _texts(principal.get("AWS", [])) if isinstance(principal, Mapping) else ():
            if ":role/" in text:
                yield text


def _texts(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item
