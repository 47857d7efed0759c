"""Event source mappings and HTTP APIs of a template: what is refused with its line, what reaches Lambda."""

from datetime import datetime
from pathlib import Path

import pytest

from sightline_local.deploy.site import Site
from sightline_local.deploy.stack import check, deploy
from sightline_local.errors import TemplateError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template
from tests.fakes.aws_clients import FakeAws
from tests.unit.local.test_deploy import FakeFunctions, FakeHttpApis

IDENTITY = StackIdentity("demo", "us-east-1", "123456789012")
MAPPING = """Parameters:
  Size: {Type: Number, Default: 7}
Resources:
  Feed:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: worker
      EventSourceArn: arn:aws:sqs:us-east-1:123456789012:work
"""


def load(tmp_path: Path, text: str) -> Template:
    (tmp_path / "template.yaml").write_text(text)
    return load_template(tmp_path / "template.yaml", IDENTITY, {})


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("      FilterCriteria:\n        Filters:\n          - Pattern: plain", "a pattern is a JSON object"),
        (
            """      FilterCriteria: {Filters: [{Pattern: '{"body": {"a": [{"cidr": ""}]}}'}]}""",
            r"body\.a uses cidr, which is not known here",
        ),
        ("      ScalingConfig:\n        MinimumConcurrency: 1", "MinimumConcurrency"),
        ("      TumblingWindowInSeconds: 30", "TumblingWindowInSeconds"),
        ("      ProvisionedPollerConfig: {MinimumPollers: 2}", "ProvisionedPollerConfig"),
    ],
)
def test_a_mapping_that_is_not_known_is_refused_with_its_line(
    tmp_path: Path, more: str, problem: str
) -> None:
    with pytest.raises(TemplateError, match=problem) as refused:
        check(load(tmp_path, MAPPING + more))

    assert (refused.value.line or 0) >= 9


def test_numbers_of_parameters_reach_lambda_as_numbers(tmp_path: Path) -> None:
    aws = FakeAws()
    aws.answers["lambda", "CreateEventSourceMapping"] = {"UUID": "an-uuid"}
    template = load(
        tmp_path, MAPPING + "      BatchSize: !Ref Size\n      ScalingConfig: {MaximumConcurrency: '2'}\n"
    )

    deploy(template, Site(IDENTITY, aws.client, FakeFunctions(), FakeHttpApis()), datetime.now)

    given = aws.parameters("lambda", "CreateEventSourceMapping")
    assert given["BatchSize"] == 7
    assert given["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_an_http_api_that_cannot_be_served_is_refused_with_its_line(tmp_path: Path) -> None:
    text = """Resources:
  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Body:
        openapi: 3.0.1
        paths: {}
        x-amazon-apigateway-cors: {allowOrigins: ["*"], allowCredentials: true}
"""
    site = Site(IDENTITY, FakeAws().client, FakeFunctions(), FakeHttpApis())

    with pytest.raises(TemplateError, match="allow-credentials is not supported") as refused:
        deploy(load(tmp_path, text), site, datetime.now)

    assert refused.value.line == 5
