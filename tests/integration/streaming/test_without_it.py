"""What the parameters of the streaming SQL leave out, and what this machine refuses."""

from pathlib import Path

import pytest

from sightline_cli.stack import Stack, Target
from sightline_local.errors import TemplateError
from sightline_local.runtime import Runtime, RuntimeOptions

PACKAGE = {"StreamingSqlBucket": "packages", "StreamingSqlPackage": "sightline-flink-1.zip"}


def options(repository: Path, **parameters: str) -> RuntimeOptions:
    return RuntimeOptions(
        template=repository / "template.yaml", api_port=0, aws_port=0, parameters=parameters
    )


@pytest.mark.parametrize(
    ("parameters", "outputs"),
    [
        ({}, set()),
        (PACKAGE, set()),  # a package alone runs nothing
        (
            {"StreamingSql": "true", "Lake": "false"},
            {"StreamingResultsStreamName", "CrowdingStreamName", "StreamingSqlRoleArn"},
        ),
    ],
    ids=["default", "package alone", "no lake"],
)
def test_a_stack_has_what_was_asked_for(
    parameters: dict[str, str], outputs: set[str], repository: Path
) -> None:
    with Runtime(options(repository, **parameters)) as runtime:
        stack = Stack(Target(runtime.aws_url, "us-east-1"))
        found = stack.client("firehose").list_delivery_streams()["DeliveryStreamNames"]

    assert {name for name in runtime.outputs if name.startswith(("Streaming", "Crowding"))} == outputs
    assert "sightline-streaming" not in found


def test_the_application_is_refused_here_by_name_and_line(repository: Path) -> None:
    with (
        pytest.raises(TemplateError, match=r"template\.yaml:\d+: StreamingSqlApplication"),
        Runtime(options(repository, StreamingSql="true", **PACKAGE)),
    ):
        pass
