"""CloudFormation: what a template may say, and what its stack then answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sightline_local.deploy.stack import check
from sightline_local.errors import TemplateError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import load_template

DOCS = "https://docs.aws.amazon.com/AWSCloudFormation/latest"
GUIDE = f"{DOCS}/UserGuide"
FUNCTIONS = f"{DOCS}/TemplateReference/intrinsic-function-reference.html"
PARAMETERS = f"{GUIDE}/parameters-section-structure.html"
pytestmark = pytest.mark.source(FUNCTIONS)
Client = Callable[[str], Any]
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def template() -> str:
    return """
AWSTemplateFormatVersion: '2010-09-09'
Description: Every function, once
Parameters:
  Names: {Type: CommaDelimitedList, Default: 'a, b,c'}
  Size: {Type: Number, Default: 3, MinValue: 1}
  Secret: {Type: String, Default: open-sesame, NoEcho: true}
Mappings:
  Colours:
    us-east-1: {warm: red, cold: [blue, green]}
Conditions:
  Here: !Equals [!Ref AWS::Region, us-east-1]
  Nowhere: !Not [!Condition Here]
  Both: !And [!Condition Here, !Condition Here]
  Either: !Or [!Condition Nowhere, !Condition Here]
Resources:
  Late:
    Type: AWS::SQS::Queue
    DependsOn: Early
    Properties:
      QueueName: !Sub '${Topic.TopicName}-late'
      VisibilityTimeout: !If [Here, !Ref Size, !Ref AWS::NoValue]
      DelaySeconds: !If [Nowhere, 5, !Ref AWS::NoValue]
  Early: {Type: AWS::SQS::Queue}
  Never: {Type: AWS::SQS::Queue, Condition: Nowhere}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
Outputs:
  Ref: {Value: !Ref Late, Description: a queue's URL}
  GetAtt: {Value: !GetAtt [Late, Arn]}
  Sub: {Value: !Sub ['${Late.QueueName} ${own} ${!literal} ${AWS::Partition}', {own: !Ref Size}]}
  Join: {Value: !Join ['-', !Ref Names]}
  Select: {Value: !Select [1, !Split ['/', 'x/y/z']]}
  Find: {Value: !Select [0, !FindInMap [Colours, !Ref AWS::Region, cold]]}
  Base64: {Value: {'Fn::Base64': text}}
  If: {Value: !If [Both, !If [Either, 'yes', 'no'], 'no']}
  Left: {Value: x, Condition: Nowhere}
  Stack: {Value: !Ref AWS::StackId}
"""


@pytest.fixture(scope="module")
def stack(client: Client) -> dict[str, Any]:
    [described] = client("cloudformation").describe_stacks(StackName="conformance")["Stacks"]
    return dict(described)


@pytest.fixture(scope="module")
def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """What is said of a template that cannot be deployed; nothing is ever made of it."""

    def load(text: str, **parameters: str) -> str:
        (tmp_path / "template.yaml").write_text(text)
        identity = StackIdentity("conformance", "us-east-1", "123456789012")
        with pytest.raises(TemplateError) as error:
            check(load_template(tmp_path / "template.yaml", identity, parameters))
        return str(error.value)

    return load


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("GetAtt", "arn:aws:sqs:us-east-1:123456789012:news-late"),
        ("Sub", "news-late 3 ${literal} aws"),
        ("Join", "a-b-c"),
        ("Select", "y"),
        ("Find", "blue"),
        ("Base64", "dGV4dA=="),
        ("If", "yes"),
    ],
)
def test_functions_give_what_they_say(outputs: dict[str, str], function: str, value: str) -> None:
    assert outputs[function] == value


def test_ref_gives_the_id_of_a_resource(outputs: dict[str, str], stack: dict[str, Any]) -> None:
    assert outputs["Ref"].endswith("/123456789012/news-late")
    assert outputs["Stack"] == stack["StackId"]


@pytest.mark.source(f"{GUIDE}/conditions-section-structure.html")
def test_what_a_condition_leaves_out_is_not_there(client: Client, outputs: dict[str, str]) -> None:
    assert "Left" not in outputs
    made = client("cloudformation").list_stack_resources(StackName="conformance")["StackResourceSummaries"]
    assert {one["LogicalResourceId"] for one in made} == {"Early", "Late", "Topic"}


@pytest.mark.source(f"{DOCS}/TemplateReference/aws-attribute-dependson.html")
def test_a_resource_is_made_after_what_it_depends_on(client: Client) -> None:
    made = client("cloudformation").describe_stack_resources(StackName="conformance")["StackResources"]
    order = [one["LogicalResourceId"] for one in made]
    assert order.index("Early") < order.index("Late")
    assert order.index("Topic") < order.index("Late")


@pytest.mark.source(f"{DOCS}/TemplateReference/pseudo-parameter-reference.html")
def test_no_value_leaves_a_property_out(client: Client, outputs: dict[str, str]) -> None:
    sqs = client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=outputs["Ref"], AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["DelaySeconds"]) == ("3", "0")


@pytest.mark.source(PARAMETERS)
def test_a_parameter_without_echo_is_masked(stack: dict[str, Any]) -> None:
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert (values["Size"], values["Secret"]) == ("3", "****")


RULE = "Resources:\n  Rule:\n    Type: AWS::Events::Rule\n    Properties:\n"
QUEUE = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n"


@pytest.mark.source(PARAMETERS)
@pytest.mark.parametrize(
    ("declaration", "value", "why"),
    [
        ("{Type: String, AllowedValues: [a, b]}", "c", "allowed are a, b"),
        ("{Type: String, AllowedPattern: '[a-z]*'}", "abc1", "does not match"),
        ("{Type: String, MinLength: 2}", "a", "the least is 2"),
        ("{Type: Number, MaxValue: 10}", "11", "the most is 10"),
        ("{Type: Number}", "ten", "is not a number"),
        ("{Type: CommaDelimitedList, AllowedPattern: '[a-z]'}", "a,bb", "does not match"),
        ("{Type: List<Number>}", "1,x", "is not a number"),
    ],
)
def test_a_parameter_keeps_its_constraints(refused: Refused, declaration: str, value: str, why: str) -> None:
    said = refused(f"Parameters:\n  P: {declaration}\nResources: {{}}\n", P=value)
    assert said.startswith("template.yaml:2: parameter P = ")
    assert why in said


@pytest.mark.source(PARAMETERS)
def test_a_parameter_without_default_must_be_given(refused: Refused) -> None:
    assert "has no default and was not given" in refused("Parameters: {P: {Type: String}}\nResources: {}\n")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (QUEUE + "      QueueName: !Ref Nobody\n", 5, "nothing in the template is named Nobody"),
        (QUEUE + "      QueueName: !GetAtt Queue.Nope\n", None, "wait for each other"),
        (QUEUE + "      QueueName: !If [Nope, a, b]\n", 5, "there is no condition Nope"),
        (QUEUE + "      QueueName: !FindInMap [A, b, c]\n", 5, "there is no A.b.c"),
        (QUEUE + "      QueueName: !Select [3, [a]]\n", 5, "there is no item 3 among 1"),
        (QUEUE + "      Fn::Transform: {Name: AWS::Include}\n", 5, "does not know Fn::Transform"),
        ("Resources:\n  Fn::ForEach::Each: []\n", 2, "does not know Fn::ForEach"),
        ("Transform: Mine\nResources: {}\n", 1, "does not know the transform Mine"),
        ("Resources:\n  A: {Type: AWS::EC2::Instance}\n", 2, "does not know the type AWS::EC2::Instance"),
        (RULE + "      ScheduleExpression: every day\n", 5, "every day"),
        (QUEUE + "      QueueNam: a\n", 5, "does not know the property QueueNam"),
        (QUEUE + "      QueueName: a\nOutputs:\n  A: {Value: !GetAtt Queue.Nope}\n", 7, "attribute Nope"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    refused: Refused, text: str, line: int | None, why: str
) -> None:
    said = refused(text)
    assert why in said
    assert line is None or said.startswith(f"template.yaml:{line}: ")
