"""Deploying: refusals before anything is made, physical names, and what reaches the services."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sightline_local.deploy.site import Site
from sightline_local.deploy.stack import Stack, check, deploy
from sightline_local.errors import DeployError, TemplateError
from sightline_local.functions.permissions import Permissions
from sightline_local.functions.spec import FunctionSpec
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template
from tests.fakes.aws_clients import FakeAws

IDENTITY = StackIdentity("demo", "us-east-1", "123456789012")
Load = Callable[[str], Template]


class FakeFunctions:
    def __init__(self) -> None:
        self.specs: list[FunctionSpec] = []
        self.permissions = Permissions()

    def register(self, spec: FunctionSpec) -> None:
        self.specs.append(spec)


class FakeHttpApis:
    def __init__(self) -> None:
        self.served: dict[str, Mapping[str, Any]] = {}

    def serve(self, api_id: str, openapi: Mapping[str, Any]) -> None:
        self.served[api_id] = openapi


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def site(aws: FakeAws) -> Site:
    return Site(IDENTITY, aws.client, FakeFunctions(), FakeHttpApis())


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str) -> Template:
        (tmp_path / "code").mkdir(exist_ok=True)
        file = tmp_path / "template.yaml"
        file.write_text(text)
        return load_template(file, IDENTITY, {})

    return load


def make(template: Template, site: Site) -> Stack:
    check(template)
    return deploy(template, site, lambda: datetime(2026, 1, 1, tzinfo=UTC))


UNKNOWN = "the local runtime does not know the"


@pytest.mark.parametrize(
    ("resource", "line", "problem"),
    [
        ("Type: AWS::EC2::Instance", 3, f"{UNKNOWN} type AWS::EC2::Instance"),
        (
            "Type: AWS::SNS::Topic\n    Properties:\n      FifoTopic: true",
            5,
            f"{UNKNOWN} property FifoTopic of AWS::SNS::Topic",
        ),
        (
            "Type: AWS::Cognito::UserPool\n    Properties:\n      AdminCreateUserConfig:\n        Invite: {}",
            6,
            f"{UNKNOWN} property AdminCreateUserConfig.Invite of AWS::Cognito::UserPool",
        ),
        (
            "Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - P: p",
            6,
            f"{UNKNOWN} property Policies.P of AWS::IAM::Role",
        ),
        (
            "Type: AWS::DynamoDB::Table\n    Properties:\n      BillingMode: PROVISIONED",
            5,
            "the local runtime knows BillingMode PAY_PER_REQUEST only, not PROVISIONED",
        ),
        ("Type: AWS::Kinesis::Stream", 2, "AWS::Kinesis::Stream needs ShardCount"),
        (
            "Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: !GetAtt Two.Size",
            5,
            f"{UNKNOWN} attribute Size of AWS::SQS::Queue",
        ),
    ],
)
def test_what_is_unknown_is_refused_by_name_and_line_before_anything_is_made(
    load: Load, resource: str, line: int, problem: str
) -> None:
    with pytest.raises(TemplateError) as refusal:
        check(load(f"Resources:\n  One:\n    {resource}\n  Two: {{Type: AWS::SQS::Queue}}\n"))
    assert str(refusal.value) == f"template.yaml:{line}: One: {problem}"


def test_code_in_s3_is_refused(load: Load, site: Site) -> None:
    with pytest.raises(TemplateError, match="only files of this machine can run here"):
        make(
            load("""
Resources:
  One:
    Type: AWS::Lambda::Function
    Properties: {Code: {S3Bucket: b, S3Key: k}, Handler: a.b, Role: arn:r, Runtime: python3.13}
"""),
            site,
        )


def test_the_emulated_cloud_s_refusal_names_the_resource(load: Load, site: Site, aws: FakeAws) -> None:
    aws.answers["logs", "CreateLogGroup"] = "ResourceAlreadyExistsException"
    with pytest.raises(
        DeployError, match=r"^One \(AWS::Logs::LogGroup\) could not be made: ResourceAlreadyExists"
    ):
        make(load("Resources:\n  One: {Type: AWS::Logs::LogGroup}\n"), site)


def test_names_are_the_same_at_every_start_and_fit_their_service(site: Site) -> None:
    name = site.physical_name("DevicesTable")
    assert name.startswith("demo-DevicesTable-")
    assert name == site.physical_name("DevicesTable")
    assert len(site.physical_name("A" * 100, longest=63)) == 63


def test_a_function_is_registered_with_its_code_layers_environment_and_role(
    load: Load, site: Site, aws: FakeAws, tmp_path: Path
) -> None:
    aws.answers["iam", "CreateRole"] = {"Role": {"Arn": "arn:role", "RoleId": "AROA"}}
    aws.answers["sqs", "CreateQueue"] = {"QueueUrl": "http://queue"}
    (tmp_path / "layer").mkdir()
    stack = make(
        load("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Queue: {Type: AWS::SQS::Queue}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.13
      Timeout: 9
      Layers: [!Ref Shared]
      Environment: {Variables: {QUEUE: !GetAtt Queue.Arn, ON: true, COUNT: 3}}
Outputs:
  Name: {Value: !Ref Worker}
"""),
        site,
    )

    (spec,) = site.functions.specs  # type: ignore[attr-defined]
    assert spec.name == stack.outputs["Name"] == site.physical_name("Worker")
    assert (spec.code_dir, spec.layer_dirs) == (tmp_path / "code", (tmp_path / "layer",))
    assert spec.environment == {
        "QUEUE": f"arn:aws:sqs:us-east-1:123456789012:{site.physical_name('Queue')}",
        "ON": "true",
        "COUNT": "3",
    }
    assert (spec.role_arn, spec.timeout_seconds, spec.memory_mb) == ("arn:role", 9.0, 128)
    assert aws.parameters("iam", "AttachRolePolicy")["PolicyArn"].endswith("/AWSLambdaBasicExecutionRole")


def test_an_http_api_is_served_with_its_routes_and_may_invoke_only_its_functions(
    load: Load, site: Site, aws: FakeAws
) -> None:
    aws.answers["iam", "CreateRole"] = {"Role": {"Arn": "arn:role", "RoleId": "AROA"}}
    stack = make(
        load("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.13
      Events: {Get: {Type: HttpApi, Properties: {Path: '/things/{id}', Method: GET}}}
Outputs:
  Url: {Value: !Sub 'https://${ServerlessHttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/'}
"""),
        site,
    )

    ((api_id, openapi),) = site.http_apis.served.items()  # type: ignore[attr-defined]
    assert stack.outputs["Url"] == f"https://{api_id}.execute-api.us-east-1.amazonaws.com/"
    integration = openapi["paths"]["/things/{id}"]["get"]["x-amazon-apigateway-integration"]
    assert f":function:{site.physical_name('Worker')}/invocations" in integration["uri"]
    policy = site.functions.permissions.policy(site.arn("lambda", f"function:{site.physical_name('Worker')}"))
    assert policy is not None
    assert f":{api_id}/*/GET/things/*" in json.dumps(policy)
