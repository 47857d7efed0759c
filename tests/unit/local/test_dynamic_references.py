"""{{resolve:secretsmanager:…}} in the properties of resources."""

import json
from pathlib import Path
from typing import Any

import pytest

from sightline_local.deploy.stack import check
from sightline_local.errors import TemplateError
from sightline_local.template.dynamic_references import resolve_dynamic, services_in
from sightline_local.template.intrinsics import IntrinsicError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import load_template

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:login-AbCdEf"


class Secrets:
    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def read(self, wanted: dict[str, str]) -> str:
        self.asked.append(wanted)
        return json.dumps({"username": "admin", "port": 5439})


@pytest.mark.parametrize("secret", ["login", ARN])
def test_the_value_of_a_key_is_put_in_place_of_the_reference(secret: str) -> None:
    secrets = Secrets()
    value = {"Url": [f"{{{{resolve:secretsmanager:{secret}:SecretString:username}}}}@host"], "Port": 1}
    assert resolve_dynamic(value, secrets.read) == {"Url": ["admin@host"], "Port": 1}
    assert secrets.asked == [{"SecretId": secret}]


def test_without_a_key_the_whole_text_is_the_value() -> None:
    assert json.loads(resolve_dynamic("{{resolve:secretsmanager:login}}", Secrets().read))["port"] == 5439


def test_a_stage_and_a_version_are_asked_for() -> None:
    secrets = Secrets()
    text = f"{{{{resolve:secretsmanager:{ARN}:SecretString:port:AWSPREVIOUS:v1}}}}"
    assert resolve_dynamic(text, secrets.read) == "5439"
    assert secrets.asked == [{"SecretId": ARN, "VersionStage": "AWSPREVIOUS", "VersionId": "v1"}]


def test_a_key_that_the_secret_does_not_have_is_an_error() -> None:
    with pytest.raises(IntrinsicError, match="JSONKey"):
        resolve_dynamic("{{resolve:secretsmanager:login:SecretString:host}}", Secrets().read)


@pytest.mark.parametrize(
    ("value", "services"),
    [
        ("plain", []),
        ({"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:a}}"}, ["secretsmanager"]),
        ([{"a": "{{resolve:ssm:name:1}}"}], ["ssm"]),
    ],
)
def test_the_services_are_found_before_anything_is_made(value: Any, services: list[str]) -> None:
    assert list(services_in(value)) == services


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "{Type: AWS::SecretsManager::Secret, Properties: {Name: '{{resolve:ssm:name}}'}}",
            "template.yaml:3: Thing: the local runtime does not know dynamic references to ssm",
        ),
        (
            "{Type: Custom::Thing, Properties: {ServiceToken: a, Password: '{{resolve:secretsmanager:a}}'}}",
            "template.yaml:3: Thing: a custom resource cannot have dynamic references to secrets",
        ),
    ],
)
def test_a_reference_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, written: str, problem: str
) -> None:
    (tmp_path / "template.yaml").write_text(f"Resources:\n  Thing:\n    {written}\n")
    template = load_template(tmp_path / "template.yaml", StackIdentity("s", "us-east-1", "1"), {})
    with pytest.raises(TemplateError) as raised:
        check(template)
    assert str(raised.value) == problem
