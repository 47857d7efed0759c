"""Options that several commands share."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sightline_cli.stack import Stack

Aws = Annotated[
    bool, typer.Option("--aws", help="The stack in the real AWS account, with your own credentials.")
]
AwsPort = Annotated[
    int | None,
    typer.Option(
        "--aws-port", min=1, max=65535, help="Port of the local stack's AWS endpoint [default: 4566]."
    ),
]
EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", help="AWS endpoint of the stack [default: $AWS_ENDPOINT_URL].")
]
Region = Annotated[str | None, typer.Option("--region", help="AWS region [default locally: us-east-1].")]
StackName = Annotated[str, typer.Option("--stack", help="Name of the CloudFormation stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]
DeviceId = Annotated[str, typer.Option("--device", help="The device_id of a registered device.")]


def chosen_stack(
    *, aws: bool, aws_port: int | None, endpoint_url: str | None, region: str | None, stack_name: str
) -> "Stack":
    """Give the stack that the shared options name."""
    from sightline_cli.stack import Stack, Target  # noqa: PLC0415 - boto3 is slow to import

    target = Target.choose(
        aws=aws, aws_port=aws_port, endpoint_url=endpoint_url, region=region, stack_name=stack_name
    )
    return Stack(target)


def of_a_stack(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `chosen_stack` where its parameter `where`, their Stack, stands.

    All parameters of `command` are keyword-only. Typer reads signatures, so the options are put into it.
    """
    options = _target_options()
    parameters: list[inspect.Parameter] = []
    for each in inspect.signature(command).parameters.values():
        parameters += options if each.name == "where" else [each]

    @wraps(command)
    def with_options(**given: Any) -> None:
        chosen = {option.name: given.pop(option.name) for option in options}
        command(where=chosen_stack(stack_name=chosen.pop("stack"), **chosen), **given)

    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_options


def _target_options() -> list[inspect.Parameter]:
    def of_target(
        *,
        aws: Aws = False,
        aws_port: AwsPort = None,
        endpoint_url: EndpointUrl = None,
        region: Region = None,
        stack: StackName = "sightline",
    ) -> None:
        """Their names and defaults, in the order of --help."""

    return list(inspect.signature(of_target).parameters.values())
