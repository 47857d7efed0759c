"""The authorizer remembers no verdict that could be another one now; and what it tells the report."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from sightline_local.iam import AccessDenied, Authorizer, Caller, Sessions
from sightline_local.iam.report import OwnerUse, report

ACCOUNT, REGION = "123456789012", "us-east-1"
WORKER = f"arn:aws:iam::{ACCOUNT}:role/worker"
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


class Cloud:
    def __init__(self) -> None:
        self.authorizer = Authorizer(ACCOUNT, REGION)
        self.sessions = Sessions(ACCOUNT, REGION)
        self.sessions.usage = self.authorizer.usage
        self.iam = iam_backends[ACCOUNT]["aws"]

    def role(self, *statements: dict[str, Any], name: str = "worker", trust: Any = TRUST) -> None:
        self.iam.create_role(name, document(trust), "/", None, "", [], 3600)
        if statements:
            self.iam.put_role_policy(name, "own", document(*statements))

    def caller(self, name: str = "worker", **more: Any) -> Caller:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        lent = self.sessions.assume(arn, "session", service_principal="lambda.amazonaws.com", **more)
        return self.sessions.caller_of(lent.access_key, lent.session_token)

    def may(self, caller: Caller, action: str, resource: str, **given: str) -> bool:
        keys = {name.replace("__", ":"): value for name, value in given.items()}
        try:
            self.authorizer.authorize(caller, action, resource, keys)
        except AccessDenied:
            return False
        return True

    def bucket(self, *statements: dict[str, Any]) -> None:
        s3 = s3_backends[ACCOUNT]["aws"]
        if "photos" not in s3.buckets:
            s3.create_bucket("photos", REGION)
        s3.put_bucket_policy("photos", document(*statements).encode())


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    BackendDict.reset()
    yield Cloud()
    BackendDict.reset()


def test_a_remembered_verdict_ends_with_the_documents_that_it_is_of(cloud: Cloud) -> None:
    cloud.role(allow("dynamodb:GetItem", TABLE))
    caller = cloud.caller()

    assert [cloud.may(caller, "dynamodb:GetItem", TABLE) for _ in range(2)] == [True, True]
    cloud.iam.put_role_policy("worker", "own", document(allow("dynamodb:PutItem", TABLE)))
    assert not cloud.may(caller, "dynamodb:GetItem", TABLE)
    cloud.iam.put_role_policy("worker", "own", document(allow("dynamodb:GetItem", TABLE)))
    assert cloud.may(caller, "dynamodb:GetItem", TABLE)
    cloud.iam.delete_role_policy("worker", "own")
    assert not cloud.may(caller, "dynamodb:GetItem", TABLE)


def test_roles_with_the_same_document_are_told_apart_by_what_else_they_have(cloud: Cloud) -> None:
    cloud.role(allow("dynamodb:*", TABLE))
    cloud.role(allow("dynamodb:*", TABLE), name="other")
    cloud.iam.put_role_policy("other", "no", document({**allow("*"), "Effect": "Deny"}))

    assert cloud.may(cloud.caller(), "dynamodb:GetItem", TABLE)
    assert not cloud.may(cloud.caller("other"), "dynamodb:GetItem", TABLE)


def test_a_verdict_that_asks_for_the_context_is_remembered_with_its_values(cloud: Cloud) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    cloud.role(allow("iam:PassRole", "*", Condition=condition))
    caller = cloud.caller()

    for service, allowed in [("states", True), ("lambda", False), ("states", True), ("lambda", False)]:
        passed = cloud.may(caller, "iam:PassRole", WORKER, iam__PassedToService=f"{service}.amazonaws.com")
        assert passed is allowed


def test_variables_of_resources_are_context_too(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject", "arn:aws:s3:::photos/${sts:ExternalId}/*"))
    caller = cloud.caller()

    def may(name: str) -> bool:
        return cloud.may(caller, "s3:GetObject", "arn:aws:s3:::photos/a/1", sts__ExternalId=name)

    assert [may("a"), may("b"), may("a")] == [True, False, True]


def test_sessions_of_one_role_are_told_apart_by_their_policies_and_by_their_names(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject"))
    narrow = json.loads(document(allow("s3:PutObject")))
    whole, narrowed = cloud.caller(), cloud.caller(policy=narrow)
    resource = "arn:aws:s3:::photos/a"
    cloud.bucket()

    assert (cloud.may(whole, "s3:GetObject", resource), cloud.may(narrowed, "s3:GetObject", resource)) == (
        True,
        False,
    )
    cloud.bucket(allow("s3:DeleteObject", resource, Principal={"AWS": narrowed.arn.replace("session", "x")}))
    assert not cloud.may(whole, "s3:DeleteObject", resource)
    cloud.bucket(allow("s3:DeleteObject", resource, Principal={"AWS": whole.arn}))
    assert cloud.may(whole, "s3:DeleteObject", resource)


def test_a_verdict_by_the_clock_is_not_remembered(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    condition = {"DateLessThan": {"aws:CurrentTime": "2100-01-01T00:00:00Z"}}
    cloud.role(allow("s3:GetObject", Condition=condition))
    caller = cloud.caller()

    assert cloud.may(caller, "s3:GetObject", "arn:aws:s3:::photos/a")
    assert not [key for key in cloud.authorizer._verdicts if "arn:aws:s3:::photos/a" in key]


def test_what_is_remembered_does_not_grow_without_end(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject"))
    caller = cloud.caller()

    for number in range(10_000):
        assert cloud.may(caller, "s3:GetObject", f"arn:aws:s3:::photos/{number}")

    assert len(cloud.authorizer._verdicts) <= 8192


def test_a_policy_that_cannot_be_read_denies_and_says_why(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject"))
    cloud.bucket(allow("s3:GetObject", NotPrincipal={"AWS": WORKER}))

    with pytest.raises(AccessDenied, match=r"cannot read a policy .* element NotPrincipal is not known"):
        cloud.authorizer.authorize(cloud.caller(), "s3:GetObject", "arn:aws:s3:::photos/a")


@pytest.mark.parametrize("text", ["no json", "[]", '{"Statement": ["x"]}', '{"Statement": {"Condition": 1}}'])
def test_a_report_leaves_out_what_cannot_be_read_and_says_what_it_denied(cloud: Cloud, text: str) -> None:
    cloud.role(allow("s3:GetObject"))
    cloud.bucket()
    s3_backends[ACCOUNT]["aws"].put_bucket_policy("photos", text.encode())

    assert not cloud.may(cloud.caller(), "s3:GetObject", "arn:aws:s3:::photos/a")
    with pytest.raises(AccessDenied, match="cannot read a policy"):
        cloud.authorizer.authorize_service("sns.amazonaws.com", "s3:PutObject", "arn:aws:s3:::photos/a")

    told = report(cloud.authorizer)
    assert told.resources == ()
    assert {each.who for each in told.denied} == {WORKER, "sns.amazonaws.com"}


def owner(of: tuple[OwnerUse, ...], arn: str) -> list[str]:
    return list(next(each for each in of if each.arn == arn).lines())


def test_the_report_says_what_was_allowed_and_never_used(cloud: Cloud) -> None:
    read = allow(
        ["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::photos/*", "arn:aws:s3:::films/*"], Sid="Read"
    )
    cloud.role(read, allow("sqs:SendMessage", Sid="Tell"))
    caller = cloud.caller()
    for _ in range(2):
        assert cloud.may(caller, "s3:GetObject", "arn:aws:s3:::photos/a")

    assert owner(report(cloud.authorizer).roles, WORKER) == [
        "partly used: own, Read: not s3:ListBucket, arn:aws:s3:::films/*",
        "never used: own, Tell (Allow sqs:SendMessage)",
    ]


def test_the_report_counts_what_was_denied(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject"))
    caller = cloud.caller()
    for _ in range(3):
        assert not cloud.may(caller, "s3:PutObject", "arn:aws:s3:::photos/a")
    with pytest.raises(AccessDenied):
        cloud.authorizer.authorize_call(caller, "ec2", "RunInstances", {})
    with pytest.raises(AccessDenied):
        cloud.authorizer.authorize_service("sns.amazonaws.com", "sqs:SendMessage", "arn:aws:sqs:x:1:q")

    text = "\n".join(report(cloud.authorizer).lines())

    assert "denied 3 times: s3:PutObject on arn:aws:s3:::photos/a because no identity-based policy" in text
    assert "denied once: ec2:RunInstances on * because the local runtime has no rule for it" in text
    assert "sns.amazonaws.com\n  denied once: sqs:SendMessage on arn:aws:sqs:x:1:q" in text
    assert json.loads(json.dumps(report(cloud.authorizer).as_dict()))["denied"][0]["times"] == 1


def test_the_report_knows_trust_and_resource_policies(cloud: Cloud) -> None:
    cloud.role(allow("s3:GetObject"))
    cloud.role(name="idle")
    deny = {**allow("s3:*", "arn:aws:s3:::photos/*", Principal="*", Sid="Never"), "Effect": "Deny"}
    deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    cloud.bucket(deny)
    assert cloud.may(cloud.caller(), "s3:GetObject", "arn:aws:s3:::photos/a")

    found = report(cloud.authorizer)

    assert owner(found.roles, WORKER) == []
    assert owner(found.roles, WORKER.replace("worker", "idle")) == [
        "never used: trust, statement 1 (Allow sts:AssumeRole)"
    ]
    assert owner(found.resources, "arn:aws:s3:::photos") == ["never used: resource policy, Never (Deny s3:*)"]
    assert not cloud.may(
        cloud.caller(), "s3:GetObject", "arn:aws:s3:::photos/a", aws__SecureTransport="false"
    )
    assert owner(report(cloud.authorizer).resources, "arn:aws:s3:::photos") == []
