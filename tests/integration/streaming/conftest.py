"""A stack with the streams of the streaming SQL; the tests write what the Flink application would."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sightline_cli.api import ApiClient
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions


@dataclass(frozen=True)
class System:
    runtime: Runtime
    clock: Clock
    stack: Stack
    api: ApiClient

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def as_application(self, service: str) -> Any:
        """A client with what the service lends to the application."""
        lent = self.runtime.lend(self.stack.output("StreamingSqlRoleArn"), "kinesisanalytics.amazonaws.com")
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.runtime.aws_url,
            region_name="us-east-1",
            **lent.for_boto3(),
        )

    def write(self, output: str, rows: Sequence[dict[str, Any] | bytes]) -> None:
        """Into the stream whose name is this output, as the application does."""
        payloads = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        records = [{"Data": each, "PartitionKey": "flink"} for each in payloads]
        answer = self.as_application("kinesis").put_records(
            StreamName=self.stack.output(output), Records=records
        )
        assert answer["FailedRecordCount"] == 0

    def physical(self, logical_id: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName="sightline", LogicalResourceId=logical_id
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def keys(self, output: str, prefix: str = "") -> list[str]:
        bucket = self.stack.output(output)
        found = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return sorted(each["Key"] for each in found)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def system(repository: Path) -> Iterator[System]:
    clock = Clock()
    options = RuntimeOptions(
        template=repository / "template.yaml",
        api_port=0,
        aws_port=0,
        parameters={"StreamingSql": "true"},
        clock=clock,
    )
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, "us-east-1"))
        yield System(runtime, clock, stack, api_of(stack))
