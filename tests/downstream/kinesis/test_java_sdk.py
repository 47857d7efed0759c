"""The AWS SDK for Java at the local Kinesis, no switch set: HTTP/2 with prior knowledge, CBOR, fan-out."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sightline_local.runtime import Runtime, RuntimeOptions

TEMPLATE = """
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {Name: s, ShardCount: 1}
"""
PROGRAM = Path(__file__).with_name("Subscriber.java")
_JARS = ".venv-presence/lib/python*/site-packages/amazon_kclpy/jars"
_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    with Runtime(RuntimeOptions(template=template, api_port=0, aws_port=0)) as running:
        yield running


@pytest.fixture
def java(presence_home: None, repository: Path, runtime: Runtime) -> Iterator[Callable[[Path], Any]]:
    """Run a Java file with the SDK that the presence worker has; it is ended with the test."""
    (jars,) = repository.glob(_JARS)
    started: list[subprocess.Popen[str]] = []

    def run(program: Path) -> subprocess.Popen[str]:
        command = ["java", "-Xmx256m", "-cp", f"{jars}/*", str(program), runtime.aws_url, "s"]
        environment = {**os.environ, **_KEYS}
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        started.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_a_java_client_puts_and_is_pushed_every_record_until_its_shard_ends(
    java: Callable[[Path], Any], runtime: Runtime
) -> None:
    subscriber = java(PROGRAM)
    kinesis = boto3.client(
        "kinesis",
        endpoint_url=runtime.aws_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )

    before = [subscriber.stdout.readline().strip() for _ in range(2)]
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    after, errors = subscriber.communicate("\n", timeout=60)

    assert before == ["received 1000", "refused ResourceInUseException"], errors
    assert after.splitlines() == ["ended with 2 children, to go on from null"], errors
