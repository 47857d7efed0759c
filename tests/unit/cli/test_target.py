"""Which stack a command talks to."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sightline_cli.errors import CliError, MisuseError
from sightline_cli.stack import Stack, Target, local_session


def choose(**options: Any) -> Target:
    nothing: dict[str, Any] = {"aws": False, "aws_port": None, "endpoint_url": None, "region": None}
    return Target.choose(**(nothing | {"stack_name": "sightline"} | options))


def test_without_options_it_is_the_stack_of_sightline_up() -> None:
    assert choose() == Target("http://127.0.0.1:4566", "us-east-1", "sightline")


def test_the_environment_names_another_endpoint_and_an_option_beats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://10.0.0.7:4566/")

    assert choose().endpoint_url == "http://10.0.0.7:4566"
    assert choose(aws_port=5000).endpoint_url == "http://127.0.0.1:5000"
    assert choose(endpoint_url="http://other").endpoint_url == "http://other"


def test_aws_is_the_real_account_with_its_own_credentials() -> None:
    target = choose(aws=True, region="eu-west-1", stack_name="prod")

    assert target == Target(None, "eu-west-1", "prod")
    credentials = target.session().get_credentials()
    assert credentials is not None
    assert credentials.access_key == "testing"


def test_aws_with_the_environment_of_a_local_stack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    with pytest.raises(MisuseError, match="unset it"):
        choose(aws=True)


def test_a_local_session_reads_nothing_of_the_real_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\nuse_fips_endpoint = true\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")

    session = local_session("us-east-1", "local", "local")
    client = session.client("sqs", endpoint_url="http://127.0.0.1:1")

    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.token) == ("local", None)
    assert client.meta.region_name == "us-east-1"


class FakeCloudFormation:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's way
        assert StackName == "sightline"
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def a_stack(answer: dict[str, Any] | Exception) -> Stack:
    stack = Stack(choose())
    stack._clients["cloudformation"] = FakeCloudFormation(answer)
    return stack


def test_the_outputs_are_those_of_the_cloudformation_stack() -> None:
    stack = a_stack(
        {"Stacks": [{"Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "http://127.0.0.1:8080"}]}]}
    )

    assert stack.output("ApiUrl") == "http://127.0.0.1:8080"
    with pytest.raises(CliError, match="no output UserPoolId: is it a Sightline stack"):
        stack.output("UserPoolId")


def test_a_stack_that_does_not_run_is_told_with_what_to_do() -> None:
    stack = a_stack(EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"))

    with pytest.raises(CliError) as failed:
        stack.output("ApiUrl")

    expected = "no Sightline stack answers at http://127.0.0.1:4566: start one with `sightline up`"
    assert str(failed.value) == expected


def test_a_stack_that_does_not_exist_is_told_by_name() -> None:
    refused: Any = {"Code": "ValidationError", "Message": "Stack with id sightline does not exist"}
    stack = a_stack(ClientError({"Error": refused}, "DescribeStacks"))

    with pytest.raises(CliError, match=r"no stack named sightline at .*: is it still starting\? --stack"):
        stack.output("ApiUrl")


def test_an_endpoint_that_is_none_is_told() -> None:
    with pytest.raises(CliError, match="not an endpoint: nonsense"):
        Stack(Target("nonsense", "us-east-1")).client("sqs")
