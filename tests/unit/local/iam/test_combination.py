"""Identity, resource and session policies of one account, together."""

from typing import Any

import pytest

from sightline_local.iam.callers import Caller
from sightline_local.iam.combination import Verdict, decide, decide_for_service, names_of
from sightline_local.iam.policy import Decision, Request, parse_document
from sightline_local.iam.policy_set import NO_CLAUSES, Clauses, single

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/one"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
CALLER = Caller("ASIA1", SESSION, ROLE, ACCOUNT)


def clauses(*statements: dict[str, Any]) -> Clauses:
    if not statements:
        return NO_CLAUSES
    document = parse_document({"Version": "2012-10-17", "Statement": list(statements)})
    return single("owner", "policy", document).about("sqs:SendMessage")


def allow(principal: Any = None, **more: Any) -> dict[str, Any]:
    named = {} if principal is None else {"Principal": principal}
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE, **named, **more}


def deny(principal: Any = None) -> dict[str, Any]:
    return allow(principal, Effect="Deny")


def verdict(
    identity: Clauses = NO_CLAUSES, resource: Clauses = NO_CLAUSES, session: Clauses | None = None
) -> Verdict:
    request = Request("sqs:SendMessage", QUEUE, {}, names_of(CALLER))
    return decide(identity, session, resource, request, CALLER)[0]


ALLOWED = Verdict(Decision.ALLOW)


@pytest.mark.parametrize("principal", [{"AWS": ROLE}, {"AWS": SESSION}, {"AWS": "*"}, "*"])
def test_a_resource_policy_that_names_the_caller_is_enough(principal: Any) -> None:
    assert verdict(resource=clauses(allow(principal))) == ALLOWED


@pytest.mark.parametrize("account", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
def test_a_resource_policy_that_names_the_account_leaves_it_to_the_identity_policies(account: str) -> None:
    resource = clauses(allow({"AWS": account}))

    assert verdict(resource=resource).because("sqs:SendMessage") == (
        "because no identity-based policy allows the sqs:SendMessage action"
    )
    assert verdict(clauses(allow()), resource) == ALLOWED


@pytest.mark.parametrize("principal", ["*", {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": ACCOUNT}])
def test_a_deny_in_the_resource_policy_wins(principal: Any) -> None:
    denied = verdict(clauses(allow()), clauses(allow({"AWS": ROLE}), deny(principal)))

    assert denied.because("sqs:SendMessage") == "with an explicit deny in a resource-based policy"


def test_a_deny_of_somebody_else_is_nobody_elses() -> None:
    other = deny({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"})

    assert verdict(clauses(allow()), clauses(other)) == ALLOWED


def test_a_service_is_not_meant_by_what_a_role_does() -> None:
    resource = clauses(allow({"Service": "sns.amazonaws.com"}))

    assert verdict(resource=resource).decision is Decision.IMPLICIT_DENY


def test_the_policy_of_a_session_narrows_what_the_resource_gives_its_role() -> None:
    resource = clauses(allow({"AWS": ROLE}))

    denied = verdict(resource=resource, session=NO_CLAUSES)

    assert denied.because("sqs:SendMessage") == (
        "because no session policy allows the sqs:SendMessage action"
    )
    assert verdict(resource=resource, session=clauses(allow())) == ALLOWED


def test_what_the_resource_gives_the_very_session_no_session_policy_narrows() -> None:
    resource = clauses(allow({"AWS": SESSION}))

    assert verdict(resource=resource, session=NO_CLAUSES) == ALLOWED
    assert verdict(resource=resource, session=clauses(deny())).decision is Decision.EXPLICIT_DENY


def test_only_what_a_verdict_is_due_to_counts_as_needed() -> None:
    request = Request("sqs:SendMessage", QUEUE, {}, names_of(CALLER))
    identity, resource = clauses(allow()), clauses(allow({"AWS": ACCOUNT}), allow({"AWS": ROLE}))

    _verdict, needed = decide(identity, None, resource, request, CALLER)
    _denied, denying = decide(clauses(allow(), deny()), None, resource, request, CALLER)
    _narrowed, nothing = decide(identity, NO_CLAUSES, NO_CLAUSES, request, CALLER)

    assert [clause.index for clause in needed] == [0, 1]
    assert [clause.statement.allows for clause in denying] == [False]
    assert nothing == []


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([allow({"Service": "sns.amazonaws.com"})], Decision.ALLOW),
        ([allow("*")], Decision.ALLOW),
        ([allow({"Service": "events.amazonaws.com"})], Decision.IMPLICIT_DENY),
        ([allow({"AWS": ROLE})], Decision.IMPLICIT_DENY),
        ([allow("*"), deny({"Service": "sns.amazonaws.com"})], Decision.EXPLICIT_DENY),
        ([], Decision.IMPLICIT_DENY),
    ],
)
def test_a_service_in_its_own_name_needs_the_resources_policy(
    statements: list[dict[str, Any]], decision: Decision
) -> None:
    request = Request("sqs:SendMessage", QUEUE, {}, {"Service": ("sns.amazonaws.com",)})

    assert decide_for_service(clauses(*statements), request)[0].decision is decision
