"""The parameter Lake=false: nothing of the lake is made, and `sightline query` says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline_cli.app import main
from sightline_cli.stack import Stack, Target
from sightline_local.runtime import Runtime, RuntimeOptions


@pytest.fixture(scope="module")
def runtime(repository: Path) -> Iterator[Runtime]:
    template = repository / "template.yaml"
    options = RuntimeOptions(template=template, api_port=0, aws_port=0, parameters={"Lake": "false"})
    with Runtime(options) as runtime:
        yield runtime


def test_a_stack_without_a_lake_has_nothing_of_it(runtime: Runtime) -> None:
    stack = Stack(Target(runtime.aws_url, "us-east-1"))
    resources = stack.client("cloudformation").describe_stack_resources(StackName="sightline")[
        "StackResources"
    ]

    assert [each["LogicalResourceId"] for each in resources if "Lake" in each["LogicalResourceId"]] == []
    assert [name for name in runtime.outputs if name.startswith("Lake")] == []
    assert stack.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []


def test_a_question_to_a_stack_without_a_lake_is_one_line(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    port = runtime.aws_url.rpartition(":")[2]

    code = main(["query", "SELECT 1", "--aws-port", port])

    assert capsys.readouterr().err == (
        "sightline: the stack sightline has no lake: deploy it with the parameter Lake=true\n"
    )
    assert code == 1
