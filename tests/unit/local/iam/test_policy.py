"""The policy evaluator, against AWS's rules and simple truths."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_local.iam.conditions import UnsupportedPolicyError
from sightline_local.iam.policy import Decision, Request, evaluate, parse_document

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/devices"


def decide(
    *statements: dict[str, Any],
    action: str = "dynamodb:GetItem",
    resource: str = TABLE,
    principal: dict[str, tuple[str, ...]] | None = None,
    **context: str,
) -> Decision:
    document = parse_document({"Version": "2012-10-17", "Statement": list(statements)})
    keys = {name.replace("__", ":").lower(): value for name, value in context.items()}
    return evaluate([document], Request(action, resource, keys, principal))


def allow(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {**allow("*", "*"), "Effect": "Deny", **more}


def test_nothing_is_allowed_without_an_allow() -> None:
    assert decide() is Decision.IMPLICIT_DENY


def test_what_a_statement_names_is_allowed() -> None:
    assert decide(allow()) is Decision.ALLOW


def test_an_action_is_compared_without_case() -> None:
    assert decide(allow("DynamoDB:getitem")) is Decision.ALLOW


def test_a_resource_is_compared_with_case() -> None:
    assert decide(allow(resource=TABLE.replace("devices", "Devices"))) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    "pattern",
    ["*", "arn:aws:dynamodb:*:*:table/*", TABLE[:-1] + "?", "arn:aws:dynamodb:us-east-1:123456789012:*"],
)
def test_wildcards_of_a_resource_match(pattern: str) -> None:
    assert decide(allow(resource=pattern)) is Decision.ALLOW


@pytest.mark.parametrize("pattern", ["arn:aws:dynamodb:*", "arn:*:table/devices", TABLE + "/*", TABLE + "?"])
def test_a_wildcard_does_not_reach_into_another_part_of_the_arn(pattern: str) -> None:
    assert decide(allow(resource=pattern)) is Decision.IMPLICIT_DENY


def test_a_call_without_a_resource_needs_a_star() -> None:
    assert decide(allow("lambda:ListFunctions", TABLE), action="lambda:ListFunctions", resource="*") is (
        Decision.IMPLICIT_DENY
    )
    assert decide(allow("lambda:ListFunctions", "*"), action="lambda:ListFunctions", resource="*") is (
        Decision.ALLOW
    )


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    assert decide(deny(), allow()) is Decision.EXPLICIT_DENY
    assert decide(allow(), deny()) is Decision.EXPLICIT_DENY


def test_not_action_names_everything_else() -> None:
    statement = {"Effect": "Allow", "NotAction": "dynamodb:Delete*", "Resource": "*"}

    assert decide(statement) is Decision.ALLOW
    assert decide(statement, action="dynamodb:DeleteItem") is Decision.IMPLICIT_DENY


def test_not_resource_names_everything_else() -> None:
    statement = {"Effect": "Deny", "Action": "*", "NotResource": TABLE}

    assert decide(allow("*", "*"), statement) is Decision.ALLOW
    assert decide(allow("*", "*"), statement, resource=TABLE + "2") is Decision.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "a*", "abc", True),
        ("StringLike", "a?", "abc", False),
        ("StringNotLike", "a*", "abc", False),
        ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
        ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
        ("ArnLike", "arn:aws:s3:*", "arn:aws:s3:::bucket", False),
        ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", False),
        ("ArnNotEquals", "arn:aws:s3:::x", "arn:aws:s3:::bucket", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("NumericLessThan", 10, "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "9.5", False),
        ("NumericGreaterThanEquals", "10", "ten", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "10.0", False),
        ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T23:59:59Z", True),
        ("DateGreaterThan", "2026-01-02T00:00:00Z", "1767268800", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
        ("Null", "false", "x", True),
        ("Null", "true", "x", False),
    ],
)
def test_each_condition_operator_compares_as_aws_says(
    operator: str, wanted: Any, value: str, holds: bool
) -> None:
    verdict = decide(allow(Condition={operator: {"aws:Key": wanted}}), aws__key=value)

    assert (verdict is Decision.ALLOW) is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("NumericLessThan", False),
        ("ForAnyValue:StringEquals", False),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_missing_key_fails_only_what_asks_for_a_value(operator: str, holds: bool) -> None:
    verdict = decide(allow(Condition={operator: {"aws:Missing": "5"}}))

    assert (verdict is Decision.ALLOW) is holds


def test_null_true_demands_that_a_key_is_missing() -> None:
    assert decide(allow(Condition={"Null": {"aws:Missing": "true"}})) is Decision.ALLOW


def test_all_operators_and_all_keys_must_hold() -> None:
    condition = {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": "true"}}

    assert decide(allow(Condition=condition), aws__a="1", aws__b="2", aws__c="true") is Decision.ALLOW
    assert decide(allow(Condition=condition), aws__a="1", aws__b="2", aws__c="false") is not Decision.ALLOW
    assert decide(allow(Condition=condition), aws__a="1", aws__c="true") is not Decision.ALLOW


@pytest.mark.parametrize(("word", "holds"), [("ForAnyValue", True), ("ForAllValues", False)])
def test_set_operators_look_at_every_value(word: str, holds: bool) -> None:
    condition = {f"{word}:StringEquals": {"aws:TagKeys": ["a", "b"]}}
    statements = parse_document({"Statement": allow(Condition=condition)})

    verdict = evaluate([statements], Request("dynamodb:GetItem", TABLE, {"aws:tagkeys": ("a", "c")}))

    assert (verdict is Decision.ALLOW) is holds


def test_a_variable_stands_for_the_value_of_the_request() -> None:
    statement = allow(resource="arn:aws:dynamodb:us-east-1:123456789012:table/${aws:username}")

    assert decide(statement, aws__username="devices") is Decision.ALLOW
    assert decide(statement, aws__username="people") is Decision.IMPLICIT_DENY


def test_a_variable_without_a_value_matches_nothing_unless_it_has_a_default() -> None:
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/"

    assert decide(allow(resource=table + "${aws:username}")) is Decision.IMPLICIT_DENY
    assert decide(allow(resource=table + "${aws:username, 'devices'}")) is Decision.ALLOW


def test_a_caller_cannot_smuggle_a_wildcard_through_a_variable() -> None:
    statement = allow(resource="arn:aws:dynamodb:us-east-1:123456789012:table/${aws:username}")

    assert decide(statement, aws__username="*") is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"StringSortOf": {"aws:A": "1"}}),
        allow(Condition={"NullIfExists": {"aws:A": "1"}}),
        allow(NotPrincipal={"AWS": "*"}),
        {"Effect": "Allow", "Resource": "*"},
        {**allow(), "Effect": "Permit"},
    ],
)
def test_what_the_evaluator_does_not_know_is_refused_by_name(statement: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicyError):
        parse_document({"Statement": [statement]})


def test_a_resource_policy_lets_in_whom_it_names() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = "arn:aws:iam::123456789012:role/r"

    def verdict(kind: str, name: str) -> Decision:
        return decide(statement, action="sts:AssumeRole", resource=role, principal={kind: (name,)})

    assert verdict("Service", "lambda.amazonaws.com") is Decision.ALLOW
    assert verdict("Service", "ec2.amazonaws.com") is Decision.IMPLICIT_DENY
    assert verdict("AWS", "lambda.amazonaws.com") is Decision.IMPLICIT_DENY


# ---------------------------------------------------------------- properties

names = st.text("abcxyz*?", min_size=1, max_size=6)
statements = st.builds(
    lambda effect, action, resource: {
        "Effect": effect,
        "Action": f"dynamodb:{action}",
        "Resource": f"arn:aws:dynamodb:us-east-1:123456789012:table/{resource}",
    },
    st.sampled_from(["Allow", "Deny"]),
    names,
    names,
)
plain = st.text("abcxyz", min_size=1, max_size=6)


@given(st.lists(statements, max_size=6), plain, plain)
def test_a_verdict_never_depends_on_the_order_of_the_statements(
    policy: list[dict[str, Any]], action: str, resource: str
) -> None:
    request: dict[str, Any] = {
        "action": f"dynamodb:{action}",
        "resource": f"arn:aws:dynamodb:us-east-1:123456789012:table/{resource}",
    }

    assert decide(*policy, **request) is decide(*reversed(policy), **request)


@given(st.lists(statements, max_size=6), plain, plain)
def test_a_deny_for_everything_denies_and_more_statements_never_undo_a_deny(
    policy: list[dict[str, Any]], action: str, resource: str
) -> None:
    request: dict[str, Any] = {
        "action": f"dynamodb:{action}",
        "resource": f"arn:aws:dynamodb:us-east-1:123456789012:table/{resource}",
    }

    assert decide(*policy, deny(), **request) is Decision.EXPLICIT_DENY
    if decide(*policy, **request) is Decision.EXPLICIT_DENY:
        assert decide(*policy, allow("*", "*"), **request) is Decision.EXPLICIT_DENY


@given(plain, plain)
def test_a_policy_that_names_exactly_one_thing_allows_that_thing_alone(name: str, other: str) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/"

    verdict = decide(allow(resource=arn + name), resource=arn + other)

    assert (verdict is Decision.ALLOW) == (name == other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_string_equals_is_equality_of_texts(wanted: str, value: str) -> None:
    condition = json.loads(json.dumps({"StringEquals": {"aws:Key": wanted}}))
    if "${" in wanted:
        return

    verdict = decide(allow(Condition=condition), aws__key=value)

    assert (verdict is Decision.ALLOW) == (wanted == value)
