"""Which Sightline stack a command talks to, and what that stack says of itself."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from sightline_cli.errors import CliError, MisuseError

LOCAL_REGION = "us-east-1"
LOCAL_KEY = "local"


@dataclass(frozen=True, slots=True)
class Target:
    """A stack on this machine (or behind any endpoint), or in the real account when there is no endpoint."""

    endpoint_url: str | None
    region: str | None = None
    stack_name: str = "sightline"

    @classmethod
    def choose(
        cls, *, aws: bool, aws_port: int | None, endpoint_url: str | None, region: str | None, stack_name: str
    ) -> "Target":
        """Pick by the options first, then by AWS_ENDPOINT_URL, then the stack of `sightline up`."""
        if aws:
            _refuse_endpoints(aws_port, endpoint_url)
            return cls(None, region, stack_name)
        if aws_port is not None and endpoint_url is not None:
            raise MisuseError("--aws-port and --endpoint-url name two endpoints: use one of them")
        if aws_port is not None:
            endpoint_url = f"http://127.0.0.1:{aws_port}"
        endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL") or "http://127.0.0.1:4566"
        return cls(endpoint_url.rstrip("/"), region or LOCAL_REGION, stack_name)

    def session(self) -> boto3.Session:
        """Give the administrator's session of a local stack, or the ordinary one of the real account."""
        if self.endpoint_url is None:
            return boto3.Session(region_name=self.region)
        return local_session(self.region or LOCAL_REGION, LOCAL_KEY, LOCAL_KEY)

    def config(self) -> Config:
        if self.endpoint_url is None:
            return Config()
        # No proxy: HTTP_PROXY of an office must not catch 127.0.0.1.
        return Config(proxies={}, connect_timeout=3, retries={"total_max_attempts": 2})

    def why_not(self, error: Exception) -> str:
        """Say in one line why the stack could not be described."""
        where = self.endpoint_url or "AWS"
        if isinstance(error, NoCredentialsError):
            return "no AWS credentials: log in (aws sso login) or leave --aws out"
        if isinstance(error, (BotoConnectionError, HTTPClientError)):
            hint = f" ({error})" if self.endpoint_url is None else ": start one with `sightline up`"
            return f"no Sightline stack answers at {where}{hint}"
        if isinstance(error, ClientError) and "does not exist" in str(error):
            return f"no stack named {self.stack_name} at {where}: is it still starting? --stack names another"
        return f"{where} does not tell about the stack {self.stack_name}: {error}"


def local_session(region: str, access_key: str, secret_key: str) -> boto3.Session:
    """Make a session that reads nothing of ~/.aws nor of AWS_PROFILE: they belong to the real account."""
    nothing: dict[str, tuple[None, Any, Any, None]] = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    session = botocore.session.Session(session_vars=nothing)
    session.set_credentials(access_key, secret_key)
    return boto3.Session(botocore_session=session, region_name=region)


def _refuse_endpoints(aws_port: int | None, endpoint_url: str | None) -> None:
    if aws_port is not None or endpoint_url is not None:
        raise MisuseError("--aws is the real account: it goes with neither --aws-port nor --endpoint-url")
    if os.environ.get("AWS_ENDPOINT_URL"):
        raise MisuseError(
            "--aws is the real account, but AWS_ENDPOINT_URL points elsewhere: unset it and AWS_ACCESS_KEY_ID"
        )


@dataclass
class Stack:
    """The stack behind a target: clients, and outputs read once."""

    target: Target
    _clients: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def session(self) -> boto3.Session:
        return self.target.session()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            try:
                self._clients[service] = self.session.client(
                    service,  # type: ignore[call-overload]
                    endpoint_url=self.target.endpoint_url,
                    config=self.target.config(),
                )
            except NoRegionError as error:
                raise CliError("no AWS region: give --region or set AWS_REGION") from error
            except ValueError as error:
                raise CliError(f"not an endpoint: {self.target.endpoint_url}") from error
        return self._clients[service]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the CloudFormation stack; here a stack that does not run is noticed."""
        cloudformation = self.client("cloudformation")
        try:
            stacks = cloudformation.describe_stacks(StackName=self.target.stack_name)["Stacks"]
        except (ClientError, BotoCoreError, KeyError) as error:
            raise CliError(self.target.why_not(error)) from error
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def output(self, name: str) -> str:
        if name not in self.outputs:
            line = f"the stack {self.target.stack_name} has no output {name}: is it a Sightline stack?"
            raise CliError(line)
        return self.outputs[name]
