"""Reading a template: intrinsics, parameters, conditions, order, and refusals that name the line."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sightline_local.errors import TemplateError
from sightline_local.template.intrinsics import resolve
from sightline_local.template.scope import Made, StackIdentity
from sightline_local.template.template import Template, load_template

IDENTITY = StackIdentity("demo", "eu-west-1", "111122223333")
Load = Callable[..., Template]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, given: Mapping[str, str] | None = None) -> Template:
        file = tmp_path / "template.yaml"
        file.write_text(text)
        return load_template(file, IDENTITY, given or {})

    return load


def outputs_of(template: Template) -> dict[str, object]:
    return {output.name: output.value for output in template.outputs}


def test_intrinsics_without_resources_are_resolved_when_the_template_is_read(load: Load) -> None:
    template = load("""
Parameters:
  Names: {Type: CommaDelimitedList, Default: 'a, b,c'}
Mappings:
  Sizes: {eu-west-1: {small: 2}}
Conditions:
  InEurope: !Equals [!Ref AWS::Region, eu-west-1]
  Never: !Not [!Condition InEurope]
  IsTrue: !Equals [true, 'true']
  Both: !And [!Condition InEurope, !Not [!Condition Never]]
  Either: !Or [!Condition Never, !Condition Never]
Resources: {}
Outputs:
  Joined: {Value: !Join ['-', [x, !Ref AWS::StackName, !Select [1, !Ref Names]]]}
  Substituted: {Value: !Sub ['${AWS::AccountId} ${own} ${!literal}', {own: !Ref AWS::Partition}]}
  Mapped: {Value: !FindInMap [Sizes, !Ref AWS::Region, small]}
  Chosen: {Value: !If [Both, yes-both, no]}
  Other: {Value: !If [Either, yes, !Base64 no]}
  Parts: {Value: !Select [2, !Split [',', 'p,q,r']]}
  Absent: {Condition: Never, Value: x}
  Truth: {Value: !If [IsTrue, !Sub ['${T}', {T: true}], no]}
""")
    assert outputs_of(template) == {
        "Joined": "x-demo-b",
        "Substituted": "111122223333 aws ${literal}",
        "Mapped": "2",
        "Chosen": "yes-both",
        "Other": "bm8=",
        "Parts": "r",
        "Truth": "true",
    }


def test_resources_come_after_what_they_refer_to_or_depend_on(load: Load) -> None:
    template = load("""
Resources:
  Last: {Type: T, DependsOn: Middle}
  Middle: {Type: T, Properties: {A: !Sub '${First.Arn}/x', B: [{C: !GetAtt First.Arn}]}}
  First: {Type: T}
""")
    assert [resource.logical_id for resource in template.resources] == ["First", "Middle", "Last"]


def test_references_to_resources_are_resolved_once_they_are_made(load: Load) -> None:
    template = load("""
Resources:
  One: {Type: T}
  Two:
    Type: T
    Properties:
      Arn: !GetAtt One.Arn
      Url: !Sub 'https://${One}.${AWS::URLSuffix}'
      Gone: !Ref AWS::NoValue
""")
    template.scope.made["One"] = Made("one-1", {"Arn": "arn:one"})
    properties = resolve(dict(template.resources[1].properties), template.scope)
    assert properties == {"Arn": "arn:one", "Url": "https://one-1.amazonaws.com"}


def test_a_resource_whose_condition_does_not_hold_is_left_out(load: Load) -> None:
    text = """
Parameters:
  Email: {Type: String, Default: ''}
Conditions:
  HasEmail: !Not [!Equals [!Ref Email, '']]
Resources:
  Topic: {Type: T}
  Subscription: {Type: T, Condition: HasEmail}
"""
    assert [r.logical_id for r in load(text).resources] == ["Topic"]
    assert len(load(text, {"Email": "a@b.example"}).resources) == 2


def test_dates_of_policies_stay_texts(load: Load) -> None:
    template = load("Resources:\n  One: {Type: T, Properties: {Version: 2012-10-17}}\n")
    assert template.resources[0].properties["Version"] == "2012-10-17"


UNKNOWN = "the local runtime does not know"
PROPERTIES = "Resources:\n  One:\n    Type: T\n    Properties:\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PROPERTIES + "      A: !Transform x\n", f"template.yaml:5: {UNKNOWN} !Transform"),
        (
            PROPERTIES + "      A:\n        Fn::ImportValue: x\n",
            f"template.yaml:6: One: {UNKNOWN} Fn::ImportValue",
        ),
        (
            "Resources:\n  Fn::ForEach::Topics: [T, [a], {}]\n",
            f"template.yaml:2: Fn::ForEach::Topics: {UNKNOWN} Fn::ForEach",
        ),
        (
            PROPERTIES + "      A:\n        Fn::ForEach::B: []\n        C: 1\n",
            f"template.yaml:6: One: {UNKNOWN} Fn::ForEach",
        ),
        (
            PROPERTIES + "      A:\n        Fn::Transform: {Name: AWS::Include}\n",
            f"template.yaml:6: One: {UNKNOWN} Fn::Transform",
        ),
        (
            PROPERTIES + "      A:\n        Fn::Sub: x\n        B: 1\n",
            "template.yaml:6: One: Fn::Sub stands alone in its mapping",
        ),
        (
            PROPERTIES + "      A: !If [Nope, 1, 2]\n",
            "template.yaml:5: One: there is no condition Nope",
        ),
        (
            PROPERTIES + "      A: !Sub '${AWS::Region} ${Nobody.Arn}'\n",
            "template.yaml:5: One: nothing in the template is named Nobody",
        ),
        (
            "Conditions: {Never: !Equals [a, b]}\n"
            + PROPERTIES
            + "      A: !If [Never, !GetAtt Nobody.Arn, 2]\n",
            "template.yaml:6: One: nothing in the template is named Nobody",
        ),
        (
            PROPERTIES + "      A: !Sub ['${X}', {X: [1]}]\n",
            "template.yaml:5: One: Fn::Sub: X needs a text, not a list",
        ),
        (
            "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\nResources: {}\n",
            "template.yaml:2: condition A: conditions wait for each other: A -> B -> A",
        ),
        (
            "Conditions:\n  A: !Equals [!Ref One, x]\nResources:\n  One: {Type: T}\n",
            "template.yaml:2: condition A: a condition must be",
        ),
        (
            "Resources:\n  One: {Type: T, Condition: Nope}\n",
            "template.yaml:2: One: there is no condition Nope",
        ),
        (
            "Resources:\n  One: {Type: T, DependsOn: !Ref AWS::Region}\n",
            "template.yaml:2: One: DependsOn is a name or a list of names",
        ),
        ("Resources:\n  My-Topic: {Type: T}\n", "template.yaml:2: My-Topic: My-Topic: a name has letters"),
        (
            "AWSTemplateFormatVersion: 2011-01-01\nResources: {}\n",
            "template.yaml:1: AWSTemplateFormatVersion",
        ),
        ("Globals: {}\nResources: {}\n", "template.yaml:1: Globals needs Transform"),
        (
            "Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]\nResources: {}\n",
            f"template.yaml:1: {UNKNOWN} the transform AWS::LanguageExtensions",
        ),
        (
            "Resources: {}\nOutputs:\n  Out: {Value: [a]}\n",
            "template.yaml:3: output Out: it needs a text, not a list",
        ),
        (
            "Parameters:\n  P: {Type: AWS::SSM::Parameter::Value<String>, Default: x}\nResources: {}\n",
            f"template.yaml:2: parameter P: {UNKNOWN} the type AWS::SSM::Parameter::Value<String>",
        ),
        (
            "Parameters:\n  P: {Type: String, Default: x, MinValue: 1}\nResources: {}\n",
            "template.yaml:2: parameter P: the local runtime knows no MinValue of a String",
        ),
        (
            PROPERTIES + "      A:\n        - B: !Join [',']\n",
            "template.yaml:6: One: Fn::Join needs a list of 2 arguments",
        ),
        (
            "Resources:\n  One:\n    Type: T\n    Properties: {A: !Ref Nobody}\n",
            "template.yaml:4: One: nothing in the template is named Nobody",
        ),
        (
            "Resources:\n  One:\n    Type: T\n    CreationPolicy: {}\n",
            f"template.yaml:4: One: {UNKNOWN} CreationPolicy",
        ),
        (
            "Resources:\n  One: {Type: T, DependsOn: Two}\n  Two: {Type: T, DependsOn: One}\n",
            "template.yaml:1: resources wait for each other: ",
        ),
        (
            "Resources:\n  One: {Type: T, DependsOn: Three}\n",
            "template.yaml:2: One: refers to Three, which is not made",
        ),
        ("Resources: {}\nRules: {}\n", f"template.yaml:2: {UNKNOWN} the section Rules"),
        (
            "Resources: {}\nOutputs:\n  Out: {Value: !GetAtt One.Arn}\n",
            "template.yaml:3: output Out: nothing in the template is named One",
        ),
        (
            "Transform: AWS::Include\nResources: {}\n",
            f"template.yaml:1: {UNKNOWN} the transform AWS::Include",
        ),
        ("Resources:\n  One: {Type: T}\n  One: {Type: T}\n", "template.yaml:3: the key One is there twice"),
        ("Resources: [\n", "template.yaml:2: is not valid YAML"),
        ("Resources: []\n", "template.yaml:1: Resources must be a mapping"),
        ("Resources: {One: 3}\n", "template.yaml:1: One: One must be a mapping"),
        ("Resources:\n  One: {Properties: {}}\n", "template.yaml:2: One: needs a Type"),
        (
            "Resources:\n  One:\n    Type: T\n    Properties: x\n",
            "template.yaml:4: One: Properties must be a mapping",
        ),
        ("- a\n", "template.yaml: holds no mapping at the top"),
    ],
)
def test_what_cannot_be_deployed_is_refused_with_its_line(load: Load, text: str, message: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        load(text)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


PARAMETERS = """
Parameters:
  Gap: {Type: Number, Default: 60, MinValue: 5, MaxValue: 100}
  Engine: {Type: String, Default: slow, AllowedValues: [slow, fast]}
  Name: {Type: String, Default: abc, AllowedPattern: '[a-z]+', MaxLength: 4}
  Sizes: {Type: List<Number>, Default: '1,2', ConstraintDescription: only numbers}
Resources: {}
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Gap": "4"}, "template.yaml:3: parameter Gap = '4': the least is 5"),
        ({"Gap": "101"}, "template.yaml:3: parameter Gap = '101': the most is 100"),
        ({"Gap": "many"}, "template.yaml:3: parameter Gap = 'many': is not a number"),
        ({"Engine": "odd"}, "template.yaml:4: parameter Engine = 'odd': allowed are slow, fast"),
        ({"Name": "ABC"}, "template.yaml:5: parameter Name = 'ABC': does not match [a-z]+"),
        ({"Name": "abcde"}, "template.yaml:5: parameter Name = 'abcde': the most is 4"),
        ({"Sizes": "1,b"}, "template.yaml:6: parameter Sizes = '1,b': is not a number (only numbers)"),
        ({"Other": "x"}, "template.yaml: has no parameter Other"),
    ],
)
def test_a_parameter_that_may_not_be_is_refused(load: Load, given: dict[str, str], message: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        load(PARAMETERS, given)
    assert str(refusal.value) == message


def test_parameters_take_what_is_given_and_else_their_default(load: Load) -> None:
    assert load(PARAMETERS, {"Gap": "7"}).parameters == {
        "Gap": "7",
        "Engine": "slow",
        "Name": "abc",
        "Sizes": ["1", "2"],
    }


SERVERLESS = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.13
      {more}
"""


def test_a_serverless_function_becomes_a_function_with_a_role_and_keeps_its_local_code(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    template = load(SERVERLESS.replace("{more}", "Timeout: 5"))
    by_id = {resource.logical_id: resource for resource in template.resources}
    assert by_id["Worker"].type == "AWS::Lambda::Function"
    assert by_id["Worker"].properties["Code"]["S3Key"] == str(tmp_path / "code")
    assert by_id["WorkerRole"].type == "AWS::IAM::Role"
    assert by_id["WorkerRole"].error("x").line == 4


def test_a_property_that_serverless_functions_do_not_have_is_refused_with_its_line(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    with pytest.raises(TemplateError, match=r"^template.yaml:10: Worker: property Timout not defined"):
        load(SERVERLESS.replace("{more}", "Timout: 5"))


def test_code_that_is_not_there_is_refused_with_its_line(load: Load) -> None:
    with pytest.raises(TemplateError, match=r"^template.yaml:7: Worker: CodeUri: code does not exist$"):
        load(SERVERLESS.replace("{more}", ""))


def test_code_in_s3_is_refused(load: Load, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r":7: Worker: CodeUri must be a path on this machine"):
        load(SERVERLESS.replace("{more}", "").replace("CodeUri: code", "CodeUri: s3://bucket/key"))
