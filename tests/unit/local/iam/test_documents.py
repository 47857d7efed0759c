"""Policy documents are read before anything is made: each mistake has its sentence and its line."""

from pathlib import Path
from typing import Any

import pytest

from sightline_local.deploy.stack import check
from sightline_local.errors import TemplateError
from sightline_local.iam.documents import Kind, problems
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import load_template

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def found(statement: Any, kind: Kind = Kind.IDENTITY) -> list[str]:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return [problem for _place, problem in problems(document, kind)]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (ALLOW, Kind.IDENTITY),
        (TRUST, Kind.TRUST),
        ({**ALLOW, "Principal": "*"}, Kind.RESOURCE),
        ({**ALLOW, "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}}, Kind.RESOURCE),
        ({**ALLOW, "Resource": {"Fn::Sub": "${Queue.Arn}"}}, Kind.IDENTITY),
        ({**ALLOW, "Resource": "arn:aws:s3:::b/${aws:userid}/*"}, Kind.IDENTITY),
        ({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": True}}}, Kind.IDENTITY),
        ({**ALLOW, "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": "${Topic}*"}}}}, Kind.IDENTITY),
    ],
)
def test_what_aws_takes_and_the_runtime_knows_has_no_problem(statement: Any, kind: Kind) -> None:
    assert found(statement, kind) == []


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"Effect": "allow"}, Kind.IDENTITY, "Effect must be Allow or Deny"),
        ({"NotAction": "s3:*"}, Kind.IDENTITY, "either Action or NotAction"),
        ({"Action": "SendMessage"}, Kind.IDENTITY, "an action is written service:Name, not SendMessage"),
        ({"Resource": "queue"}, Kind.IDENTITY, "a resource is an ARN or *, not queue"),
        ({"Principal": "*"}, Kind.IDENTITY, "an identity policy has no Principal"),
        ({}, Kind.RESOURCE, "needs a Principal"),
        ({"Principal": "me"}, Kind.RESOURCE, "Principal is * or a mapping, not me"),
        ({"Principal": {"Federated": "x"}}, Kind.RESOURCE, "principals of the kind Federated"),
        ({"Principal": "*"}, Kind.TRUST, "a trust policy has no Resource"),
        ({"NotPrincipal": "*"}, Kind.RESOURCE, "the policy element NotPrincipal is not known"),
        ({"Sid": "two words"}, Kind.IDENTITY, "letters and digits, not two words"),
        ({"Condition": {"StringIs": {"aws:userid": "x"}}}, Kind.IDENTITY, "condition operator StringIs"),
        ({"Condition": {"Bool": {"aws:Tls": "x"}}}, Kind.IDENTITY, "condition key aws:tls"),
        ({"Condition": {"Bool": "x"}}, Kind.IDENTITY, "a mapping of operators to keys"),
        ({"Resource": "arn:aws:s3:::b/${aws:Nobody}"}, Kind.IDENTITY, "policy variable ${aws:nobody}"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], kind: Kind, said: str) -> None:
    assert [problem for problem in found({**ALLOW, **changes}, kind) if said in problem], said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("text", "must be a mapping"),
        ({"Version": "2012-10-17"}, "needs a Statement"),
        ({"Statement": {**ALLOW, "Resource": "arn:aws:s3:::${aws:userid}"}}, "need the Version 2012-10-17"),
        ({"Version": "2021-01-01", "Statement": [ALLOW]}, "is 2012-10-17, not 2021-01-01"),
        ({"Rules": [], "Statement": ALLOW}, "the policy element Rules is not known"),
        ({"Statement": [{**ALLOW, "Sid": "A"}, {**ALLOW, "Sid": "A"}]}, "A is there twice"),
        ({"Statement": ["x"]}, "a statement must be a mapping"),
    ],
)
def test_a_document_has_its_form(document: Any, said: str) -> None:
    assert [problem for _place, problem in problems(document, Kind.IDENTITY) if said in problem]


def test_what_cloudformation_puts_in_is_no_variable_of_the_policy() -> None:
    document = {"Statement": {**ALLOW, "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}}}

    assert list(problems(document, Kind.IDENTITY)) == []


ROLE = """\
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: !GetAtt Queue.Arn
                Condition:
                  StringIs: {'aws:SourceIp': 10.0.0.1}
"""
FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: python3.13
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: sqs:SendMessage
              Resource: '*'
            - Effect: Allow
              Action: SendMessage
              Resource: '*'
"""
QUEUE_POLICY = """\
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: sqs:SendMessage
            Resource: '*'
"""


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            ROLE,
            19,
            "Worker: identity policy: the local runtime does not know the condition operator StringIs",
        ),
        (FUNCTION, 16, "WorkerRole: identity policy: an action is written service:Name, not SendMessage"),
        (QUEUE_POLICY, 9, "Policy: resource policy: a statement of a resource policy needs a Principal"),
    ],
    ids=["role", "function", "queue policy"],
)
def test_a_mistake_is_refused_with_its_line_before_anything_is_made(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    (tmp_path / "template.yaml").write_text(text)
    identity = StackIdentity("stack", "us-east-1", "123456789012")
    template = load_template(tmp_path / "template.yaml", identity, {})

    with pytest.raises(TemplateError) as refusal:
        check(template)

    assert str(refusal.value) == f"template.yaml:{line}: {said}"
